#pragma once

#include <memory>
#include <string>

#include "proxy/base/result.h"
#include "proxy/commands/command.h"

namespace gatescope::commands {

/// What the command line asks for: nginx's flags, and our own commands.
struct CommandLine {
  enum class Action { Serve, Test, TestAndDump, Signal, Version, VersionAndBuild, Help, Command };
  Action action = Action::Serve;
  std::string prefix, conf, error_log, extra;  // as written
  std::string signal;                          // of Signal: nginx's word
  bool quiet = false;
  std::string text;                  // of Help
  std::unique_ptr<Command> command;  // of Command
};
/// Error Invalid: what is wrong and how to ask for help.
Result<CommandLine> parse_command_line(int argc, char** argv);

}  // namespace gatescope::commands
