#pragma once

#include "conf/lint.h"

namespace gatescope::files {

/// Roots that are not there, and scripts that would be sent with a type that no browser runs.
void lint_files(conf::Lint& lint);

}  // namespace gatescope::files
