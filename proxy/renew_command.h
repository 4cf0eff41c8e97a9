#pragma once

#include "proxy/command_line.h"
#include "proxy/launch_options.h"

namespace gatescope::server {

/// `gatescope certs renew [--dry-run] [--server URL] [NAME...]`: obtains certificates of
/// acme_issuer now, beside the server that answers the authority's questions: they share the state
/// folder. Returns the exit status: 0 all were obtained, else 1.
int run_renew_command(const CommandLine& line, const LaunchOptions& options);

}  // namespace gatescope::server
