#pragma once

#include "proxy/base/clock.h"

namespace gatescope::commands {

/// Until that process, which need not be a child, has ended. False: not within the time, or it
/// cannot be watched.
bool wait_for_exit(int pid, Duration patience);

}  // namespace gatescope::commands
