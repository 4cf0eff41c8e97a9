#pragma once

#include "conf/lint.h"

namespace gatescope::tls {

/// Certificates that end within a month, and names that no certificate of their server is for.
void lint_certificates(conf::Lint& lint);

}  // namespace gatescope::tls
