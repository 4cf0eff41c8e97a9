#pragma once

#include <string>
#include <vector>

#include "proxy/commands/command.h"

namespace gatescope::commands {

struct RenewAsked {
  std::vector<std::string> names;  // empty: all
  bool dry_run = false;
  std::string directory;  // of a dry run: instead of the issuer's; empty: that one
};

/// `gatescope certs renew [--dry-run] [--server URL] [NAME...]`: obtains certificates of
/// acme_issuer now, beside the server that answers the authority's questions: they share the state
/// folder. Returns the exit status: 0 all were obtained, else 1.
int run_renew_command(const RenewAsked& asked, const LaunchOptions& options);

}  // namespace gatescope::commands
