#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "proxy/base/log_file.h"
#include "proxy/base/syslog.h"

namespace gatescope {

/// All log files of the program, by path: the same path in two directives or two generations is one
/// file. Survives reloads; owned by Server. A file that was opened stays until the end: generations
/// keep plain references. Thread-safe.
class LogFiles final : private LogWaker {
 public:
  explicit LogFiles(LogOpener& opener) : opener_(opener) {}
  ~LogFiles() override;
  Result<LogFile*> get(const std::string& path, LogFileSettings settings = {});
  /// What stands behind "syslog:"; stays until the end, too. May ask a name server the first time.
  Result<Syslog*> syslog(const std::string& words);
  /// From now on a thread writes what may be written in the background: the caller of append()
  /// never waits for a disk. A line is in its file at once when the thread was idle, else some
  /// milliseconds later, and is lost when the process is killed before.
  void start_writer();
  /// Without a writer's thread: writes what is due by time, rotates by day. Once a second.
  void tick(MonoTime now, WallTime wall);
  /// USR1: every file by its path anew. Returns what failed, one text each; those go on with the
  /// old descriptor.
  std::vector<std::string> reopen();
  void flush();

  std::uint64_t lost_lines() const;
  /// Lines lost elsewhere (a log whose name holds variables).
  void note_lost(const std::string& path, std::uint64_t lines, int error);
  /// One text for each file that lost lines since it was said last; of one file at most once a
  /// minute.
  std::vector<std::string> take_losses(MonoTime now);

 private:
  static constexpr Duration kGather{5};  // between two writes
  static constexpr Duration kSayAgain{60000};
  struct Loss {
    std::uint64_t lines = 0, said = 0;
    int error = 0;
    MonoTime said_at{};
  };
  void wake() override;
  void run_writer();
  MonoTime tick_all(MonoTime now, WallTime wall);
  std::vector<LogFile*> all() const;

  LogOpener& opener_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<LogFile>> files_;
  std::map<std::string, std::unique_ptr<Syslog>> syslogs_;  // by their words
  std::map<std::string, Loss> elsewhere_, said_;

  std::mutex writer_mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;           // guarded by writer_mutex_
  std::atomic<bool> woken_{false};  // so that most calls of wake() cost nothing
  std::thread writer_;              // not joinable: there is none
};

}  // namespace gatescope
