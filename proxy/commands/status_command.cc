#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "proxy/commands/commands.h"
#include "proxy/commands/instance.h"
#include "proxy/ops/status_screen.h"

namespace gatescope::commands {

namespace {

constexpr std::chrono::seconds kStatusPatience{10};

/// `gatescope status`: how it fares, on one screen. Exit status: 0 healthy, 1 not (what is wrong is
/// said), 2 it does not run or cannot be asked.
class StatusCommand final : public Command {
  CLI::App& declare(CLI::App& app) override {
    auto* status = app.add_subcommand("status", "how the running gatescope fares, on one screen");
    status->add_flag("--json", json_, "for programs");
    status->fallthrough();
    return *status;
  }

  int run(const Invocation& invocation) override {
    const auto instance = Instance::find(invocation);
    if (!instance) return not_asked(instance.error());
    const auto answer = instance->ask("status", kStatusPatience);
    if (!answer) return not_asked(answer.error());
    if (answer->verdict != "healthy" && answer->verdict != "unhealthy") {
      fmt::print(stderr, "gatescope: {}", answer->text);
      return kNotAsked;
    }
    if (json_) {
      fmt::print("{}\n", answer->text);
    } else if (!invocation.quiet) {
      const char* const plain = std::getenv("NO_COLOR");
      const bool colours = ::isatty(STDOUT_FILENO) == 1 && (plain == nullptr || *plain == '\0');
      const auto screen = ops::status_screen(answer->text, colours);
      if (!screen) return not_asked(screen.error());
      fmt::print("{}", *screen);
    }
    return answer->verdict == "healthy" ? 0 : 1;
  }

  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> status_command() {
  return std::make_unique<StatusCommand>();
}

}  // namespace gatescope::commands
