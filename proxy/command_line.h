#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxy/base/result.h"

namespace gatescope::server {

/// What the command line asks for: nginx's flags, and our own commands.
struct CommandLine {
  enum class Action {
    Serve,
    Test,
    TestAndDump,
    Signal,
    Version,
    VersionAndBuild,
    CertDev,
    OeisSample,
    ConfReference,
    Help
  };
  Action action = Action::Serve;
  std::string prefix, conf, error_log, extra, signal;
  bool quiet = false;
  std::string folder;              // of cert dev, oeis sample
  std::vector<std::string> names;  // cert dev
  std::string text;                // of Help
};
/// Error Invalid: what is wrong and how to ask for help.
Result<CommandLine> parse_command_line(int argc, char** argv);

}  // namespace gatescope::server
