#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "conf/reference.h"
#include "proxy/commands/command_server.h"
#include "proxy/commands/commands.h"
#include "proxy/commands/conf_show.h"

namespace gatescope::commands {

namespace {

/// `gatescope conf reference`: the tables of directives, as a text for people; `conf show`: what
/// runs.
class ConfCommand final : public Command {
  CLI::App& declare(CLI::App& app) override {
    auto* conf = app.add_subcommand("conf", "the configuration language");
    conf->add_subcommand("reference", "print the directive reference");
    auto* show = conf->add_subcommand("show", "print the configuration that runs");
    show->callback([this] { show_ = true; });
    show->fallthrough();
    conf->require_subcommand(1);
    conf->fallthrough();
    return *conf;
  }

  int run(const Invocation& invocation) override {
    if (show_) return show_running_configuration(invocation);
    NullLog log;
    const LaunchOptions nothing;
    CommandServer command(nothing, log);
    conf::Schema schema;
    command.server().describe(schema);
    fmt::print("{}", conf::directive_reference(schema));
    return 0;
  }

  bool show_ = false;
};

}  // namespace

std::unique_ptr<Command> conf_command() {
  return std::make_unique<ConfCommand>();
}

}  // namespace gatescope::commands
