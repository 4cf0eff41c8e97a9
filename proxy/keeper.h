#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conf/source.h"
#include "proxy/base/log.h"
#include "proxy/keeper_channel.h"
#include "proxy/launch_plan.h"

namespace gatescope::server {

/// The process that stays root: small, guards the worker. Binds sockets, opens logs and reads keys
/// that the configuration names (it reads the configuration itself to know) and passes descriptors;
/// forwards signals; starts a crashed worker again; holds the pid file. Started by main before
/// anything else was made.
class Keeper {
 public:
  /// `worker` runs in the forked process with its end of the channel and returns its exit status.
  using WorkerMain = std::function<int(UniqueFd channel, const LaunchPlan& plan)>;
  Keeper(LaunchOptions options, LaunchPlan plan, WorkerMain worker, std::function<void()> on_ready);
  /// Until the worker has ended in order; the exit status of the program.
  int run();

 private:
  bool start_worker();
  void answer();
  KeeperMessage answer_to(const KeeperMessage& question);
  KeeperMessage listen(const std::string& text);
  void forward(int signal);
  void remove_socket_files(const std::vector<std::string_view>& kept);
  /// The worker has ended. True: the program is over, with exit_status_.
  bool on_worker_exit(int status);
  void log(LogLevel level, const std::string& message);
  Result<LaunchPlan> plan_now();

  const LaunchOptions options_;
  LaunchPlan plan_;
  const WorkerMain worker_main_;
  const std::function<void()> on_ready_;
  conf::SystemFileReader reader_;
  int worker_ = -1;  // process number; -1: none runs
  UniqueFd channel_;
  std::map<std::string, UniqueFd>
      sockets_;             // by endpoint: they outlive a crashed worker, clients wait in them
  bool was_ready_ = false;  // some worker has been: a later one that dies is started again
  bool ready_ = false;      // this worker is
  bool stopping_ = false;
  int exit_status_ = 0;
  std::int64_t restart_at_ = 0;  // milliseconds on the monotonic clock; 0: no restart is due
};

}  // namespace gatescope::server
