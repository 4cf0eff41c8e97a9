#pragma once

#include "conf/schema.h"
#include "conf/template.h"

namespace gatescope::upstream {

/// The tables of proxy_* and of upstream blocks, and their settings. The loader must provide
/// http::VariableTable and UpstreamModule as services.
void add_proxy_directives(conf::Schema& schema);  // proxy_directives.cc
void add_upstream_directives(
    conf::Schema& schema);  // upstream_directives.cc: upstream { server; keepalive ... }
void add_buffer_directives(conf::Schema& schema);    // buffer_directives.cc; of the first
void add_response_directives(conf::Schema& schema);  // response_directives.cc; of the first

void add_proxy_tls_directives(conf::Schema& schema);  // tls_directives.cc; of the first

void add_resolver_directives(conf::Schema& schema);  // resolver_directives.cc
void add_health_directives(conf::Schema& schema);    // health_directives.cc

/// An argument with variables.
Result<conf::Template> template_of(conf::Loader& loader, const conf::Directive& d, std::size_t i);

}  // namespace gatescope::upstream
