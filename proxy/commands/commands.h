#pragma once

#include "proxy/commands/command.h"

namespace gatescope::commands {

std::unique_ptr<Command> cache_command();         // cache clear
std::unique_ptr<Command> cert_command();          // cert dev
std::unique_ptr<Command> certificates_command();  // certs list | renew | check
std::unique_ptr<Command> conf_command();          // conf reference | show
std::unique_ptr<Command> database_command();      // db status | init | clear | reset
std::unique_ptr<Command> deploy_command();        // deploy DIR|ARCHIVE, deploy --list
std::unique_ptr<Command> install_command();
std::unique_ptr<Command> logs_command();
std::unique_ptr<Command> oeis_command();  // oeis sample | import
std::unique_ptr<Command> reload_command();
std::unique_ptr<Command> rollback_command();  // rollback [BUILD]
std::unique_ptr<Command> status_command();
std::unique_ptr<Command> stop_command();
std::unique_ptr<Command> uninstall_command();
std::unique_ptr<Command> upgrade_command();

/// Every word, in the order in which help shows them.
std::vector<std::unique_ptr<Command>> all_commands();

}  // namespace gatescope::commands
