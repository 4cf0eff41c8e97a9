#include "proxy/commands/command_line.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "proxy/commands/commands.h"

namespace gatescope::commands {

Result<CommandLine> parse_command_line(int argc, char** argv) {
  CommandLine line;
  CLI::App app{"gatescope: TLS, files, proxy and the numberscope API in one process", "gatescope"};
  app.set_help_flag("-h,-?,--help", "this text");
  bool test = false, dump = false, version = false, build = false;
  app.add_flag("-t", test, "test the configuration and exit");
  app.add_flag("-T", dump, "test the configuration, print it and exit");
  app.add_flag("-q", line.quiet, "say nothing but errors while testing");
  app.add_flag("-v", version, "print the version and exit");
  app.add_flag("-V", build, "print the version and what it was built with, and exit");
  app.add_option("-s", line.signal, "send a signal to the running gatescope")
      ->check(CLI::IsMember({"stop", "quit", "reopen", "reload"}));
  app.add_option("-p", line.prefix, "prefix: where relative paths begin");
  app.add_option("-c", line.conf, "configuration file");
  app.add_option("-e", line.error_log, "error log until the configuration names one");
  app.add_option("-g", line.extra, "directives that are read before the file");
  app.require_subcommand(0, 1);

  auto commands = all_commands();
  std::vector<CLI::App*> words;
  for (auto& command : commands)
    words.push_back(&command->declare(app));

  using Action = CommandLine::Action;
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    line.action = Action::Help;
    line.text = app.help();
    return line;
  } catch (const CLI::ParseError& error) {
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      std::string(error.what()) + "; \"gatescope -h\" lists what there is");
  }
  for (std::size_t i = 0; i < commands.size(); ++i)
    if (words[i]->parsed()) line.command = std::move(commands[i]);
  if (line.command) {
    line.action = Action::Command;
  } else if (build) {
    line.action = Action::VersionAndBuild;
  } else if (version) {
    line.action = Action::Version;
  } else if (!line.signal.empty()) {
    line.action = Action::Signal;
  } else if (dump) {
    line.action = Action::TestAndDump;
  } else if (test) {
    line.action = Action::Test;
  }
  return line;
}

}  // namespace gatescope::commands
