#pragma once

#include <memory>
#include <string>

#include "proxy/net/loop.h"

namespace gatescope::net {

/// Who uses something that several processes share, told by the kernel: open file description locks
/// (fcntl(2)) on a file, which are given back however a process ends.
class UsersFile {
 public:
  UsersFile() = default;  // closed
  static Result<UsersFile> open(const std::string& path);
  explicit operator bool() const { return static_cast<bool>(fd_); }
  /// From now on this one is a user, until it is closed. False: what is used is just being ended,
  /// because nobody was.
  bool enter();
  /// Whether somebody else is a user as well.
  bool has_others() const;
  /// Whether a guard watches over the users.
  bool is_guarded() const;
  int descriptor() const { return fd_.get(); }

 private:
  UniqueFd fd_;
};

/// A program that may outlive who started it, for as long as somebody uses it: as its parent a
/// guard is forked, which sends it SIGINT when nobody has entered the file `users` any more (and
/// then SIGQUIT, SIGKILL, five seconds apart), or when it is killed itself. The guard is what the
/// Process stands for: it passes on SIGINT, SIGQUIT and SIGTERM, and ends as the program does.
/// Destroying the Process leaves both alone. Who calls has entered the file. `talks` and
/// `death_signal` of the options have no meaning here.
///
/// The guard is a fork that runs no other program: none has to be found, and it may be somebody
/// else's who could not reach it. It keeps what the caller changes later of its own memory, so it
/// is best started early.
Result<std::unique_ptr<Process>> spawn_guarded(Loop& loop, const ProcessOptions& options,
                                               const std::string& users, ProcessEvents& events);

/// A process that somebody else started; on_exit() tells 0 for its status, whatever it was.
/// Destroying it leaves the process alone. Error: it does not live.
Result<std::unique_ptr<Process>> watch_process(Loop& loop, int pid, ProcessEvents& events);

}  // namespace gatescope::net
