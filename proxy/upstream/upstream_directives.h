#pragma once

#include "conf/schema.h"

namespace gatescope::upstream {

/// The tables of proxy_* and of upstream blocks, and their settings. The loader must provide
/// http::VariableTable and UpstreamModule as services.
void add_proxy_directives(conf::Schema& schema);  // proxy_directives.cc
void add_upstream_directives(
    conf::Schema& schema);  // upstream_directives.cc: upstream { server; keepalive ... }

}  // namespace gatescope::upstream
