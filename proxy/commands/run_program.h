#pragma once

#include <string>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace gatescope::commands {

struct ProgramOutcome {
  int status = 0;    // exit status, 128 + n when signal n ended it
  std::string said;  // on standard output and standard error, at most 64 KB
};
/// Runs argv[0], a path, to its end. Error: it cannot be run, or has not ended within `patience`
/// and was killed. Blocking; for commands.
Result<ProgramOutcome> run_program(const std::vector<std::string>& argv, Duration patience);

}  // namespace gatescope::commands
