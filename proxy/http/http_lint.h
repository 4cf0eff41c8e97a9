#pragma once

#include "conf/lint.h"

namespace gatescope::http {

/// Fields that are lost, redirects that a client can bend, rules that let everybody in, locations
/// that nothing reaches, and plain HTTP where TLS is there.
void lint_http(conf::Lint& lint);

}  // namespace gatescope::http
