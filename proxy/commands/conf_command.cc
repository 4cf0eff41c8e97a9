#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "conf/reference.h"
#include "proxy/commands/command_server.h"
#include "proxy/commands/commands.h"
#include "proxy/commands/conf_show.h"
#include "proxy/commands/conf_trace.h"

namespace gatescope::commands {

namespace {

/// `gatescope conf reference`: the tables of directives, as a text for people; `conf explain`: one
/// of them; `conf show`: what runs; `conf trace`: what answers a URL.
class ConfCommand final : public Command {
  CLI::App& declare(CLI::App& app) override {
    auto* conf = app.add_subcommand("conf", "the configuration language");
    conf->add_subcommand("reference", "print the directive reference");
    auto* explain =
        conf->add_subcommand("explain", "what a directive means, and where it may stand");
    explain->add_option("directive", explained_, "its name")->required();
    auto* trace = conf->add_subcommand(
        "trace", "which server, location and settings of the configuration answer a URL, and why");
    trace->add_option("url", traced_, "https://HOST/PATH")->required();
    trace->fallthrough();
    auto* show = conf->add_subcommand("show", "print the configuration that runs");
    show->callback([this] { show_ = true; });
    show->fallthrough();
    conf->require_subcommand(1);
    conf->fallthrough();
    return *conf;
  }

  int run(const Invocation& invocation) override {
    if (show_) return show_running_configuration(invocation);
    if (!traced_.empty()) return trace_configuration(invocation, traced_);
    NullLog log;
    const LaunchOptions nothing;
    CommandServer command(nothing, log);
    conf::Schema schema;
    command.server().describe(schema);
    if (explained_.empty()) {
      fmt::print("{}", conf::directive_reference(schema));
      return 0;
    }
    const auto text = conf::explain_directive(schema, explained_);
    if (!text) return failed(text.error());
    fmt::print("{}", *text);
    return 0;
  }

  bool show_ = false;
  std::string explained_;  // of `conf explain`
  std::string traced_;     // of `conf trace`
};

}  // namespace

std::unique_ptr<Command> conf_command() {
  return std::make_unique<ConfCommand>();
}

}  // namespace gatescope::commands
