#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "conf/source.h"
#include "proxy/base/log.h"
#include "proxy/inheritance.h"
#include "proxy/keeper_channel.h"
#include "proxy/launch_plan.h"
#include "proxy/net/socket_source.h"
#include "proxy/upgrade.h"

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

/// What a worker begins with.
enum class WorkerStart {
  First,     // what the configuration says, or nothing
  Again,     // one has served before: what the configuration says, else as the plan remembers it
  AsBefore,  // as the plan remembers it: the way back from an upgrade
};

/// The process that stays root: small, guards the worker. Binds sockets, opens logs and reads keys
/// that the configuration names (it reads the configuration itself to know) and passes descriptors;
/// forwards signals; starts a crashed worker again; holds the pid file; exchanges the program
/// (keeper_upgrade.cc). Started by main before anything else was made.
class Keeper {
 public:
  /// `worker` runs in the forked process with its end of the channel and returns its exit status.
  using WorkerMain =
      std::function<int(UniqueFd channel, const LaunchPlan& plan, WorkerStart start)>;
  Keeper(LaunchOptions options, LaunchPlan plan, WorkerMain worker, std::function<void()> on_ready);
  /// Until the worker has ended in order; the exit status of the program.
  int run(Inheritance inherited);

 private:
  /// At most one serves; others finish what they have, and end.
  struct Worker {
    int pid;
    UniqueFd channel;
    std::int64_t started;
    bool retiring;
  };
  /// The error log. Rare events only: the file is opened for each, so that rotation never concerns
  /// the keeper.
  class OwnLog final : public Log {
   public:
    explicit OwnLog(const Keeper& keeper) : keeper_(keeper) {}
    bool enabled(LogLevel) const override { return true; }
    void write(LogLevel level, std::string_view message) override;

   private:
    const Keeper& keeper_;
  };

  Result<void> take_over(Inheritance& inherited);
  void wait_for_events();
  std::int64_t next_due() const;
  void on_due(std::int64_t now);
  bool start_worker(WorkerStart start);
  void start_later(std::int64_t pause, WorkerStart start);
  Worker* serving();
  void answer(Worker& worker);
  KeeperMessage answer_to(Worker& worker, const KeeperMessage& question);
  KeeperMessage ready(Worker& worker, Result<LaunchPlan> now);
  void on_signal(int number, bool from_terminal);
  void reap_workers();
  void on_worker_exit(const Worker& worker, int status);
  void end(int status);

  // The exchange of the program (keeper_upgrade.cc)
  void change_binary();
  void begin_upgrade();
  void look_at_others();
  void on_new_program_ended();
  void share_files();
  void retire_worker();
  std::string task_of(const Worker& worker) const;
  void nudge(const Worker& worker);

  // Constant after construction
  const LaunchOptions options_;
  const WorkerMain worker_main_;
  const std::function<void()> on_ready_;

  LaunchPlan plan_;  // what serves
  conf::SystemFileReader reader_;
  net::HeldSockets sockets_;  // they outlive a crashed worker, clients wait in them
  UniqueFd signals_;
  OwnLog log_{*this};
  std::vector<Worker> workers_;
  bool was_ready_ = false;  // some worker has been: a later one that dies is started again
  bool stopping_ = false;
  bool resting_ = false;  // WINCH: no worker is wanted, the program goes on without
  bool over_ = false;
  int exit_status_ = 0;
  RestartPause pause_;
  std::int64_t restart_at_ = 0;  // milliseconds on the monotonic clock; 0: no restart is due
  WorkerStart restart_as_ = WorkerStart::Again;

  Upgrade upgrade_{options_.argv, log_};
  Predecessor predecessor_;
  UniqueFd inherited_state_;      // for the first worker; none: nothing
  std::int64_t handover_by_ = 0;  // until then the worker may hand something over; 0: not asked
  bool upgrade_due_ = false;
  std::string handover_;  // what it has handed over
};

}  // namespace gatescope::server
