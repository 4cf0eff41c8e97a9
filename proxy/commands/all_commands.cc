#include <fmt/format.h>

#include "proxy/base/result.h"
#include "proxy/commands/commands.h"

namespace gatescope::commands {

std::vector<std::unique_ptr<Command>> all_commands() {
  std::vector<std::unique_ptr<Command>> all;
  for (auto* make :
       {status_command, reload_command, stop_command, upgrade_command, logs_command, cache_command,
        deploy_command, rollback_command, certificates_command, cert_command, conf_command,
        database_command, oeis_command, install_command, uninstall_command})
    all.push_back(make());
  return all;
}

int failed(const Error& error) {
  fmt::print(stderr, "gatescope: {}\n", error.detail);
  return 1;
}

}  // namespace gatescope::commands
