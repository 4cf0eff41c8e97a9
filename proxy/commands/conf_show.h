#pragma once

#include "proxy/commands/command.h"

namespace gatescope::commands {

/// `gatescope conf show`: the configuration that runs, file by file as -T prints it: what was read
/// at the start or the last reload, whatever the files say now. Exit status: 0, or kNotAsked.
int show_running_configuration(const Invocation& invocation);

}  // namespace gatescope::commands
