#pragma once

#include "proxy/command_line.h"
#include "proxy/launch_options.h"

namespace gatescope::server {

/// `gatescope db status | init | clear | reset`: with the database that the configuration names,
/// whether a server runs on it or not. Returns the exit status.
int run_database_command(const CommandLine& line, const LaunchOptions& options);

}  // namespace gatescope::server
