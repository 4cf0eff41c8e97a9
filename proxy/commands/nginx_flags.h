#pragma once

#include <string>

#include "proxy/commands/command.h"

namespace gatescope::commands {

// What nginx does by flags instead of words. Both say what went wrong where `-e` says, with nginx's
// words, and return the exit status.

/// -t; -T: `dump`, prints the files on standard output.
int test_configuration(const Invocation& invocation, bool dump);
/// -s stop, quit, reopen or reload, to the process that the configured pid file names.
int send_signal(const Invocation& invocation, const std::string& signal);

}  // namespace gatescope::commands
