#pragma once

#include "proxy/command_line.h"
#include "proxy/launch_options.h"

namespace gatescope::server {

/// `gatescope certs [list] | renew | check HOST`. Returns the exit status: 0 all is well, 1 it
/// could not be done, 2 something is wrong with a certificate.
int run_certificates_command(const CommandLine& line, const LaunchOptions& options);

}  // namespace gatescope::server
