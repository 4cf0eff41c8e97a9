// The half of Keeper that exchanges the program:
//   USR2 -> (worker: hand over) -> begin_upgrade -> (it serves) -> WINCH, QUIT | HUP, its end

#include <fmt/format.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <utility>

#include "proxy/keeper.h"
#include "proxy/service_manager.h"

namespace gatescope::server {

namespace {

// Milliseconds for a worker to say what the next one should know. Without that its clients shake
// hands in full, which is no reason to put an upgrade off.
constexpr std::int64_t kHandoverPatience = 2'000;

std::int64_t monotonic_ms() {
  return std::chrono::duration_cast<Duration>(SystemClock().now().time_since_epoch()).count();
}

}  // namespace

Result<void> Keeper::take_over(Inheritance& inherited) {
  if (!inherited.any()) return {};
  predecessor_ = Predecessor(std::move(inherited.channel));
  inherited_state_ = std::move(inherited.handover);
  for (auto& socket : inherited.sockets)
    if (auto taken = sockets_.inherit(std::move(socket.fd), socket.loop); !taken) return taken;
  share_files();
  log_.print(LogLevel::Notice, "using {} sockets of process {}", inherited.sockets.size(),
             predecessor_.pid());
  return {};
}

void Keeper::share_files() {
  sockets_.share_files(predecessor_.alive() || upgrade_.state() != Upgrade::State::None);
}

void Keeper::change_binary() {
  const auto ignore = [&](const std::string& why) {
    log_.print(LogLevel::Error, "signal USR2 is ignored: {}", why);
  };
  if (stopping_ || !was_ready_) return ignore("this program is starting or ending");
  look_at_others();  // the one before may have ended in this moment
  if (predecessor_.alive())
    return ignore(fmt::format("process {}, which this one replaces, still runs: end it (QUIT)",
                              predecessor_.pid()));
  if (upgrade_.state() != Upgrade::State::None)
    return ignore(fmt::format("a new program runs already, process {}", upgrade_.pid()));
  if (handover_by_ || upgrade_due_) return ignore("a new program is being started already");
  handover_.clear();
  auto* worker = serving();
  if (worker == nullptr) {
    upgrade_due_ = true;
    return;
  }
  handover_by_ = monotonic_ms() + kHandoverPatience;
  nudge(*worker);
}

void Keeper::begin_upgrade() {
  handover_by_ = 0;
  upgrade_due_ = false;
  const auto state = std::exchange(handover_, {});
  const auto begun = upgrade_.begin(plan_.pid_path, sockets_, state, SystemClock().now());
  if (!begun)
    log_.print(LogLevel::Error, "cannot change the binary: {}; this one serves on",
               begun.error().detail);
  share_files();
}

void Keeper::look_at_others() {
  if (upgrade_.look())
    if (const auto* worker = serving()) nudge(*worker);
  if (upgrade_.reap(SystemClock().now())) on_new_program_ended();
  if (predecessor_.look()) {
    share_files();
    log_.print(LogLevel::Notice, "process {} has ended, this one serves alone", predecessor_.pid());
    if (const auto* worker = serving()) nudge(*worker);
  }
}

void Keeper::on_new_program_ended() {
  share_files();
  SystemdService().ready(::getpid());
  if (const auto* worker = serving()) {
    nudge(*worker);
  } else if (resting_ && !stopping_) {
    start_later(0, WorkerStart::AsBefore);
  }
}

/// The worker that serves finishes what it has. Where another program takes new clients, it does so
/// without closing connections on which a request may be on its way.
void Keeper::retire_worker() {
  const bool gently = upgrade_.state() == Upgrade::State::Serving || predecessor_.alive();
  for (auto& worker : workers_) {
    if (std::exchange(worker.retiring, true)) {
      if (stopping_ && !gently) ::kill(worker.pid, SIGQUIT);
      continue;
    }
    if (gently) {
      nudge(worker);
    } else {
      ::kill(worker.pid, SIGQUIT);
    }
  }
}

void Keeper::nudge(const Worker& worker) {
  ::kill(worker.pid, SIGUSR2);
}

std::string Keeper::task_of(const Worker& worker) const {
  if (worker.retiring) return WorkerTask::kWindDown;
  if (handover_by_) return WorkerTask::kHandOver;
  if (upgrade_.state() == Upgrade::State::Serving) return WorkerTask::kStandBy;
  return WorkerTask::kAlone;
}

}  // namespace gatescope::server
