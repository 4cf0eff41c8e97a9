#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "proxy/commands/commands.h"
#include "proxy/commands/instance.h"

namespace gatescope::commands {

namespace {

constexpr std::chrono::seconds kCachePatience{10};

/// `gatescope cache clear [files|api]`: what the running one has in memory is read anew. Exit
/// status: 0 done, 1 refused, 2 nobody could be asked.
class CacheCommand final : public Command {
  CLI::App& declare(CLI::App& app) override {
    auto* cache = app.add_subcommand("cache", "what the running gatescope keeps in memory");
    auto* clear = cache->add_subcommand("clear", "forget it: files, the API's answers, or both");
    clear->add_option("which", which_, "files or api; both without")
        ->check(CLI::IsMember({"files", "api"}));
    clear->fallthrough();
    cache->require_subcommand(1);
    cache->fallthrough();
    return *cache;
  }

  int run(const Invocation& invocation) override {
    const auto instance = Instance::find(invocation);
    if (!instance) return not_asked(instance.error());
    const auto answer = instance->ask("cache clear " + which_, kCachePatience);
    if (!answer) return not_asked(answer.error());
    if (answer->verdict != "ok") {
      fmt::print(stderr, "gatescope: {}", answer->text);
      return 1;
    }
    if (!invocation.quiet) fmt::print("{}", answer->text);
    return 0;
  }

  std::string which_;
};

}  // namespace

std::unique_ptr<Command> cache_command() {
  return std::make_unique<CacheCommand>();
}

}  // namespace gatescope::commands
