#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"

namespace gatescope {

/// How much a LogFile keeps back before it writes. Zero: each line at once.
struct LogFileSettings {
  std::size_t buffer = 0;       // bytes (access_log buffer=)
  std::uint64_t rotate_at = 0;  // bytes; 0: never (rotation by logrotate and USR1)
  unsigned keep = 9;            // old files kept: name.1 is the newest
};

/// Carries access, error and API log: appends lines, buffers, reopens (USR1), rotates by size,
/// counts lines it could not write (a full disk never blocks or ends the server). Survives reloads:
/// owned by Server's LogFiles, by path. Thread-safe.
class LogFile {
 public:
  /// Opens for appending, mode 0644, O_CLOEXEC. "stderr" writes to descriptor 2.
  static Result<std::unique_ptr<LogFile>> open(std::string path, LogFileSettings settings);
  /// On an open descriptor (the keeper opens what only root may); `path` for reopening by the
  /// owner.
  LogFile(UniqueFd fd, std::string path, LogFileSettings settings);
  ~LogFile();

  void append(std::string_view line);  // a newline is added
  void flush();
  void rotate();              // now, whatever its size (rotate=daily: the owner's timer)
  Result<void> reopen();      // by path; on failure the old descriptor is kept
  void replace(UniqueFd fd);  // reopened by somebody else (the keeper)
  const std::string& path() const { return path_; }
  std::uint64_t lost_lines() const { return lost_.load(std::memory_order_relaxed); }

 private:
  void write_locked(std::string_view bytes, bool add_newline);
  void flush_locked();
  void rotate_locked();
  void adopt_locked(UniqueFd fd);

  const std::string path_;
  const LogFileSettings settings_;
  std::mutex mutex_;
  UniqueFd fd_;
  bool owns_ = true;      // false: descriptor 2, which is not ours to close
  bool regular_ = false;  // only a regular file is rotated
  bool torn_ = false;   // the last write stopped inside a line: the next one begins with a newline
  std::string buffer_;  // whole lines, each with its newline
  std::uint64_t size_ = 0;         // of the file, as far as known
  std::uint64_t rotate_next_ = 0;  // size at which rotation is tried; put off after a failure
  std::atomic<std::uint64_t> lost_{0};
};

}  // namespace gatescope
