#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "conf/source.h"
#include "proxy/base/log.h"
#include "proxy/keeper_channel.h"
#include "proxy/launch_plan.h"
#include "proxy/net/socket_source.h"

namespace gatescope::server {

/// How long to wait before a worker that died is started again: not at all, but ever longer when
/// it dies soon after each start.
class RestartPause {
 public:
  /// The worker has died after so many milliseconds.
  std::int64_t after(std::int64_t lived);

 private:
  unsigned early_ = 0;  // deaths in a row that came early
};

/// The process that stays root: small, guards the worker. Binds sockets, opens logs and reads keys
/// that the configuration names (it reads the configuration itself to know) and passes descriptors;
/// forwards signals; starts a crashed worker again; holds the pid file. Started by main before
/// anything else was made.
class Keeper {
 public:
  /// `worker` runs in the forked process with its end of the channel and returns its exit status.
  /// `again`: one has served before, with the plan's configuration.
  using WorkerMain = std::function<int(UniqueFd channel, const LaunchPlan& plan, bool again)>;
  Keeper(LaunchOptions options, LaunchPlan plan, WorkerMain worker, std::function<void()> on_ready);
  /// Until the worker has ended in order; the exit status of the program.
  int run();

 private:
  void wait_for_events();
  bool start_worker();
  void start_later(std::int64_t pause);
  void answer();
  KeeperMessage answer_to(const KeeperMessage& question);
  KeeperMessage ready(Result<LaunchPlan> now);
  void on_signal(int number);
  /// The worker has ended. True: the program is over, with exit_status_.
  bool on_worker_exit(int status);
  void log(LogLevel level, const std::string& message);
  Result<LaunchPlan> plan_now();

  // Constant after construction
  const LaunchOptions options_;
  const WorkerMain worker_main_;
  const std::function<void()> on_ready_;

  LaunchPlan plan_;  // what serves
  conf::SystemFileReader reader_;
  net::HeldSockets sockets_;  // they outlive a crashed worker, clients wait in them
  UniqueFd signals_;
  int worker_ = -1;  // process number; -1: none runs
  std::int64_t worker_started_ = 0;
  UniqueFd channel_;
  bool was_ready_ = false;  // some worker has been: a later one that dies is started again
  bool stopping_ = false;
  bool resting_ = false;  // WINCH: the worker may end, the program goes on without
  int exit_status_ = 0;
  RestartPause pause_;
  std::int64_t restart_at_ = 0;  // milliseconds on the monotonic clock; 0: no restart is due
};

}  // namespace gatescope::server
