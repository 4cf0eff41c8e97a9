#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "conf/reference.h"
#include "proxy/commands/command_server.h"
#include "proxy/commands/commands.h"

namespace gatescope::commands {

namespace {

/// `gatescope conf reference`: the tables of directives, as a text for people.
class ConfCommand final : public Command {
  CLI::App& declare(CLI::App& app) override {
    auto* conf = app.add_subcommand("conf", "the configuration language");
    conf->add_subcommand("reference", "print the directive reference");
    conf->require_subcommand(1);
    return *conf;
  }

  int run(const Invocation&) override {
    NullLog log;
    const LaunchOptions nothing;
    CommandServer command(nothing, log);
    conf::Schema schema;
    command.server().describe(schema);
    fmt::print("{}", conf::directive_reference(schema));
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> conf_command() {
  return std::make_unique<ConfCommand>();
}

}  // namespace gatescope::commands
