#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/log.h"
#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"
#include "proxy/net/socket_source.h"

namespace gatescope::server {

/// For the log, when WINCH came and just_ended().
inline constexpr std::string_view kNobodyElseServes =
    "signal WINCH is ignored: the new program has just ended, nobody else serves";

struct UpgradeSettings {
  /// A program that does not serve so long after its start will not: it is ended, and this one
  /// serves on. Long, because a start may read large files, and nobody waits for it.
  Duration start_limit{60'000};
};

/// The exchange of the program while it serves (USR2), as the one sees it that is to be replaced:
/// the file that it was started from is started again, as a child, with the listening sockets. The
/// pid file is "FILE.oldbin" meanwhile, as nginx has it, and comes back when the new one ends
/// first. Owned by Keeper, or by the process without one.
///   None -> Starting -> Serving -> None
///   Starting -> None (it ended, or had its time)
class Upgrade {
 public:
  enum class State { None, Starting, Serving };
  /// `argv`: what this program was started with. Both outlive it.
  Upgrade(const std::vector<std::string>& argv, Log& log, UpgradeSettings settings = {})
      : argv_(argv), log_(log), settings_(settings) {}

  /// Error: nothing was started, and the pid file is as it was. Blocks until the new program's file
  /// runs (execve), which is short. `handover`: empty: nothing.
  Result<void> begin(const std::string& pid_path, const net::HeldSockets& sockets,
                     std::string_view handover, MonoTime now);
  State state() const { return state_; }
  int pid() const { return pid_; }  // of the new program; 0: none
  /// Readable when it has something to say, see look(); -1: nothing is awaited.
  int descriptor() const { return channel_.get(); }
  /// True once, when it has said that it serves.
  bool look();
  /// SIGCHLD came. True once, when the new program has ended: the pid file is back, and the log
  /// says so.
  bool reap(MonoTime now);
  /// Whether reap() said so less than a second ago, and none was begun since: a WINCH of somebody
  /// who does not know of it yet would leave nobody who serves.
  bool just_ended(MonoTime now) const;
  /// When expire() is due; nullopt: never.
  std::optional<MonoTime> deadline() const;
  void expire(MonoTime now);
  /// The file that says who we are: to be removed when we end.
  std::string pid_file(const std::string& pid_path) const;
  /// In a forked process: it has no part in this.
  void forget() { channel_.reset(); }

 private:
  Result<void> start(const std::string& program, const net::HeldSockets& sockets,
                     std::string_view handover);

  // Constant after construction
  const std::vector<std::string>& argv_;
  Log& log_;
  const UpgradeSettings settings_;

  State state_ = State::None;
  int pid_ = 0;
  UniqueFd channel_;      // to the new program, which sees by its end that we have gone
  std::string pid_path_;  // while not None
  MonoTime began_{};
  std::optional<MonoTime> ended_;  // when the last new program did
};

}  // namespace gatescope::server
