#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "proxy/commands/commands.h"
#include "proxy/commands/instance.h"

namespace gatescope::commands {

namespace {

/// `gatescope reload`: as -s reload, but tells what came of it. Exit status: 0 it serves, 1 it was
/// refused (the running one goes on), 2 nobody could be asked.
class ReloadCommand final : public Command {
  CLI::App& declare(CLI::App& app) override {
    auto* reload = app.add_subcommand("reload",
                                      "read the configuration again, and say if it is "
                                      "taken");
    reload->add_option("--wait", wait_, "seconds that it may take (60)")
        ->check(CLI::Range(1u, 600u));
    reload->fallthrough();
    return *reload;
  }

  int run(const Invocation& invocation) override {
    // A configuration that cannot be read says nothing of where the running one is; then its error
    // is what was asked for.
    const auto instance = Instance::find(invocation);
    if (!instance)
      return instance.error().kind == ErrorKind::NotFound ? not_asked(instance.error())
                                                          : failed(instance.error());
    const auto answer = instance->ask("reload", std::chrono::seconds(wait_));
    if (!answer) return not_asked(answer.error());
    if (answer->verdict != "ok") {
      fmt::print(stderr, "gatescope: {}gatescope: the running configuration goes on\n",
                 answer->text);
      return 1;
    }
    if (!invocation.quiet) fmt::print("{}", answer->text);
    return 0;
  }

  unsigned wait_ = 60;
};

}  // namespace

std::unique_ptr<Command> reload_command() {
  return std::make_unique<ReloadCommand>();
}

}  // namespace gatescope::commands
