#pragma once

#include "conf/lint.h"

namespace gatescope::upstream {

/// Fields for upstreams that are lost, and addresses that a client chooses.
void lint_upstream(conf::Lint& lint);

}  // namespace gatescope::upstream
