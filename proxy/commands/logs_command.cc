#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "proxy/base/text.h"
#include "proxy/commands/commands.h"
#include "proxy/commands/instance.h"
#include "proxy/commands/log_reader.h"

namespace gatescope::commands {

namespace {

constexpr std::chrono::seconds kLogsPatience{5};

/// `gatescope logs [error|access|api]`: the last lines of the logs that the running one writes, or
/// that the configuration names. Exit status: 0, 1 a log cannot be read, 2 there is none.
class LogsCommand final : public Command {
  CLI::App& declare(CLI::App& app) override {
    auto* logs = app.add_subcommand("logs", "the last lines of a log");
    logs->add_option("which", which_, "error, access or api (error)")
        ->check(CLI::IsMember({"error", "access", "api"}));
    logs->add_flag("-f,--follow", follow_, "and what is written from now on, over rotations");
    logs->add_option("-n,--lines", lines_, "how many lines (20)")
        ->check(CLI::Range(0u, 1'000'000u));
    logs->fallthrough();
    return *logs;
  }

  int run(const Invocation& invocation) override {
    const auto paths = find(invocation);
    if (!paths) return not_asked(paths.error());
    if (paths->empty()) {
      fmt::print(stderr, "gatescope: the configuration writes no {} log to a file\n", which_);
      return kNotAsked;
    }
    std::vector<LogReader> readers;
    for (const auto& path : *paths)
      readers.emplace_back(path);
    bool readable = true;
    for (auto& reader : readers) {
      if (readers.size() > 1) fmt::print("==> {} <==\n", reader.path());
      const auto last = reader.last_lines(lines_);
      if (!last) {
        readable = follow_ && last.error().kind == ErrorKind::NotFound;
        fmt::print(stderr, "gatescope: {}\n", last.error().detail);
        continue;
      }
      fmt::print("{}", *last);
    }
    std::fflush(stdout);
    if (!follow_ || !readable) return readable ? 0 : 1;
    return follow_logs(readers);
  }

  /// From the running one, whose configuration may be older than what the file says.
  Result<std::vector<std::string>> find(const Invocation& invocation) const {
    const auto kind = which_ + "_log";
    if (const auto instance = Instance::find(invocation)) {
      if (const auto answer = instance->ask("logs", kLogsPatience);
          answer && answer->verdict == "ok") {
        std::vector<std::string> paths;
        for (const auto line : split(answer->text, '\n'))
          if (line.starts_with(kind + " ")) paths.emplace_back(line.substr(kind.size() + 1));
        return paths;
      }
      return instance->plan().logs_of(kind);
    }
    conf::SystemFileReader files;
    const auto plan = server::LaunchPlan::read(invocation.launch, files);
    if (!plan) return plan.error();
    return plan->logs_of(kind);
  }

  std::string which_ = "error";
  bool follow_ = false;
  unsigned lines_ = 20;
};

}  // namespace

std::unique_ptr<Command> logs_command() {
  return std::make_unique<LogsCommand>();
}

}  // namespace gatescope::commands
