#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <optional>

#include "proxy/base/unique_fd.h"
#include "proxy/commands/commands.h"
#include "proxy/commands/instance.h"
#include "proxy/commands/wait_for_exit.h"

namespace gatescope::commands {

bool wait_for_exit(int pid, Duration patience) {
  // Of a process that has ended already there is none
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) return errno == ESRCH;
  const auto until = SystemClock().now() + patience;
  for (;;) {
    const auto left = std::chrono::ceil<Duration>(until - SystemClock().now()).count();
    pollfd one{process.get(), POLLIN, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 1 << 30)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

namespace {

constexpr unsigned kStopNowPatience = 10, kStopPatience = 90;  // seconds

/// `gatescope stop`: QUIT, or TERM with --now, and waits until it is gone. Exit status: 0 it has
/// ended, 1 it has not within the time, 2 none runs.
class StopCommand final : public Command {
  CLI::App& declare(CLI::App& app) override {
    auto* stop =
        app.add_subcommand("stop", "end the running gatescope, when requests are answered");
    stop->add_flag("--now", now_, "break off what is being answered");
    stop->add_option("--wait", wait_,
                     fmt::format("seconds to wait for its end ({}, with --now {})", kStopPatience,
                                 kStopNowPatience))
        ->check(CLI::Range(0u, 86400u));
    stop->fallthrough();
    return *stop;
  }

  int run(const Invocation& invocation) override {
    const auto instance = Instance::find(invocation);
    if (!instance) return not_asked(instance.error());
    const int pid = instance->pid();
    if (::kill(pid, now_ ? SIGTERM : SIGQUIT) != 0)
      return not_asked(system_error(errno, fmt::format("kill({})", pid)));
    if (wait_for_exit(
            pid, std::chrono::seconds(wait_.value_or(now_ ? kStopNowPatience : kStopPatience)))) {
      if (!invocation.quiet) fmt::print("process {} has ended\n", pid);
      return 0;
    }
    fmt::print(stderr, "gatescope: process {} takes nobody new and has not ended yet, {}\n", pid,
               now_
                   ? "its error log may say why"
                   : "downloads or WebSockets still run; \"gatescope stop --now\" breaks them off");
    return 1;
  }

  bool now_ = false;
  std::optional<unsigned> wait_;
};

}  // namespace

std::unique_ptr<Command> stop_command() {
  return std::make_unique<StopCommand>();
}

}  // namespace gatescope::commands
