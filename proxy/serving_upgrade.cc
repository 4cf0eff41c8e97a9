// The half of ServingProcess that concerns the exchange of the program: what a keeper's worker has
// to do for it, and all of it where there is no keeper.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "proxy/serving_process.h"

namespace gatescope::server {

namespace {

/// Whether somebody sits in front of this process: then SIGWINCH says that a window has another
/// size.
bool has_terminal() {
  return static_cast<bool>(UniqueFd(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)));
}

}  // namespace

/// SIGUSR2 from the keeper.
void ServingProcess::do_task() {
  const auto task = keeper_->task();
  if (!task) return log().print(LogLevel::Error, "{}", task.error().detail);
  if (!serving_) return;
  auto& server = serving_->server();
  if (*task == WorkerTask::kHandOver) {
    if (auto handed = keeper_->hand_over(server.hand_over()); !handed)
      log().print(LogLevel::Warn, "{}", handed.error().detail);
  } else if (*task == WorkerTask::kWindDown) {
    ending_ = true;
    retire(true);
  } else {
    server.stand_by(*task == WorkerTask::kStandBy);
  }
}

void ServingProcess::change_binary() {
  const auto ignore = [&](const std::string& why) {
    log().print(LogLevel::Error, "signal USR2 is ignored: {}", why);
  };
  if (ending_) return ignore("this program is ending");
  look_at_others();  // the one before may have ended in this moment
  if (predecessor_.alive())
    return ignore(fmt::format("process {}, which this one replaces, still runs: end it (QUIT)",
                              predecessor_.pid()));
  if (upgrade_.state() != Upgrade::State::None)
    return ignore(fmt::format("a new program runs already, process {}", upgrade_.pid()));
  const auto begun = upgrade_.begin(plan_.pid_path, own_sockets_,
                                    serving_ ? serving_->server().hand_over() : std::string(),
                                    loop_->clock().now());
  unwatch_others();
  if (!begun)
    log().print(LogLevel::Error, "cannot change the binary: {}; this one serves on",
                begun.error().detail);
  watch_others();
}

/// WINCH: the process stays, and its sockets, for a way back.
void ServingProcess::rest() {
  if (has_terminal())
    return log().print(LogLevel::Info,
                       "signal WINCH is ignored: this process has a terminal, which has changed");
  // The loop's clock stands still within a turn: writing the log in between takes no part of the
  // second that news may travel
  if (upgrade_.just_ended(loop_->clock().now()))
    return log().write(LogLevel::Notice, kNobodyElseServes);
  retire(others_serve());
}

/// HUP while nothing serves.
void ServingProcess::resume() {
  if (ending_) return;
  const bool back = upgrade_.state() != Upgrade::State::None;
  if (!begin(back ? WorkerStart::AsBefore : WorkerStart::Again, {})) return;
  serving_->server().stand_by(upgrade_.state() == Upgrade::State::Serving);
}

void ServingProcess::on_child() {
  if (keeper_) return;
  unwatch_others();
  const bool ended = upgrade_.reap(loop_->clock().now());
  watch_others();
  if (!ended) return;
  tell_manager();
  if (ending_) return;
  if (serving_) {
    serving_->server().stand_by(false);
  } else {
    (void)begin(WorkerStart::AsBefore, {});
  }
}

/// Before they are looked at, which closes what has ended.
void ServingProcess::unwatch_others() {
  for (auto* watch : {&new_watch_, &old_watch_}) {
    if (*watch) (*watch)->set(false, false);
    loop_->discard(std::move(*watch));
  }
}

/// After each look.
void ServingProcess::watch_others() {
  own_sockets_.share_files(predecessor_.alive() || upgrade_.state() != Upgrade::State::None);
  const auto watch = [&](std::unique_ptr<net::DescriptorWatch>& held, int fd) {
    if (fd < 0) return;
    held = loop_->watch(fd, static_cast<net::DescriptorEvents&>(*this));
    held->set(true, false);
  };
  watch(new_watch_, upgrade_.descriptor());
  watch(old_watch_, predecessor_.descriptor());
  start_limit_->stop();
  if (const auto due = upgrade_.deadline())
    start_limit_->start(std::max(
        Duration(1), std::chrono::ceil<Duration>(*due - loop_->clock().now()) + Duration(1)));
}

void ServingProcess::on_ready(int, bool, bool) {
  look_at_others();
}

void ServingProcess::look_at_others() {
  unwatch_others();
  const bool serves = upgrade_.look();
  const bool gone = predecessor_.look();
  watch_others();
  if (gone)
    log().print(LogLevel::Notice, "process {} has ended, this one serves alone",
                predecessor_.pid());
  if (serves && serving_) serving_->server().stand_by(true);
}

void ServingProcess::on_timer(net::Timer&) {
  unwatch_others();
  upgrade_.expire(loop_->clock().now());
  watch_others();
}

}  // namespace gatescope::server
