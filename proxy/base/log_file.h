#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"

namespace gatescope {

/// Opens logs for appending, and turns to a new file; the keeper may do it with rights that the
/// worker lacks. Thread-safe.
class LogOpener {
 public:
  virtual ~LogOpener() = default;
  virtual Result<UniqueFd> open_log(const std::string& path) = 0;
  /// path.1 becomes path.2 and so on up to path.KEEP, path becomes path.1 (keep 0: is removed); the
  /// new, empty file is opened. On an error the old one is as it was.
  virtual Result<UniqueFd> rotate_log(const std::string& path, unsigned keep) = 0;
};
/// With the rights that this process has. "stderr" is a copy of descriptor 2. A FIFO is opened
/// whether somebody reads it or not.
class OwnLogOpener final : public LogOpener {
 public:
  Result<UniqueFd> open_log(const std::string& path) override;
  Result<UniqueFd> rotate_log(const std::string& path, unsigned keep) override;
};

/// Makes of lines what is written to the file (gzip). Immutable.
class LogEncoder {
 public:
  virtual ~LogEncoder() = default;
  virtual std::string encode(std::string_view lines) const = 0;
};

/// How a LogFile writes. All zero: each line at once.
struct LogFileSettings {
  std::size_t buffer = 0;       // bytes kept back (access_log buffer=)
  Duration flush{0};            // at most so long (flush=); 0: a second, encoded ones until full
  std::uint64_t rotate_at = 0;  // bytes; 0: never (rotation by logrotate and USR1)
  bool rotate_daily = false;    // when the local day changes
  unsigned keep = 9;            // old files kept: name.1 is the newest
  bool background = false;      // by the writer's thread of LogFiles, where it runs
  std::shared_ptr<const LogEncoder> encoder;  // null: as it is. Shared with other logs

  /// Lines that wait for a slow disk or reader take at most so many bytes, twice; more are lost and
  /// counted.
  static constexpr std::size_t kLeastWaiting = 1 << 20;
  std::size_t most_waiting() const { return std::max(kLeastWaiting, 4 * buffer); }
};
/// Shared by the logs of a generation and the file that obeys the last one it saw.
using SharedLogSettings = std::shared_ptr<const LogFileSettings>;

/// Told that a LogFile has something to write.
class LogWaker {
 public:
  virtual ~LogWaker() = default;
  virtual void wake() = 0;
};

/// Carries access, error and API log: appends lines, buffers, reopens (USR1), rotates by size or
/// day, counts lines it could not write (a full disk or a pipe that nobody reads never blocks or
/// ends the server). Survives reloads: owned by Server's LogFiles, by path. Thread-safe; append()
/// never waits for the disk while a writer's thread works for this file.
class LogFile {
 public:
  /// Opens for appending, mode 0644, O_CLOEXEC. "stderr" writes to descriptor 2.
  static Result<std::unique_ptr<LogFile>> open(std::string path, LogFileSettings settings);
  /// On an open descriptor (the keeper opens what only root may). `opener` rotates and outlives
  /// this; null: with own rights.
  LogFile(UniqueFd fd, std::string path, LogFileSettings settings, LogOpener* opener = nullptr);
  ~LogFile();

  void append(std::string_view line);  // a newline is added
  /// As `settings` say from now on: those of the log that writes, so that a reload changes them.
  void append(std::string_view line, const SharedLogSettings& settings, MonoTime now);
  void flush();
  void rotate();              // now, whatever its size
  Result<void> reopen();      // by path; on failure the old descriptor is kept
  void replace(UniqueFd fd);  // reopened by somebody else (the keeper)

  /// Writes what is due by now, rotates when the day changed. Returns when it wants to be called
  /// again; zero: when there is something new.
  MonoTime tick(MonoTime now, WallTime wall);
  /// From now on lines of `background` settings are written by whoever calls tick() when woken.
  void set_waker(LogWaker* waker);

  const std::string& path() const { return path_; }
  std::uint64_t lost_lines() const { return lost_.load(std::memory_order_relaxed); }
  /// errno of the last loss; 0: none, or too much was waiting.
  int last_error() const { return last_error_.load(std::memory_order_relaxed); }

 private:
  enum class Patience { None, UntilNextTick };  // with a pipe that is full
  /// A newline that mends a torn line, the bytes, the line's own newline.
  using Parts = std::array<std::string_view, 3>;
  // All of these: file_mutex_ is held
  void write_out(Patience patience);
  void write_line(std::string_view line);
  void make_room(std::size_t bytes);
  int put(Parts& parts);
  std::size_t write_some(const Parts& parts);
  void lose(std::uint64_t lines, int error);
  void rotate_now();
  void adopt(UniqueFd fd);
  bool in_background() const { return waker_ && settings_->background; }

  const std::string path_;
  LogOpener* const opener_;

  std::mutex mutex_;  // short: never held while writing
  SharedLogSettings settings_;
  LogWaker* waker_ = nullptr;
  std::string waiting_;       // whole lines, each with its newline
  MonoTime first_waiting_{};  // when the first of them came
  bool due_ = false;          // they are more than the buffer
  UniqueFd next_fd_;          // reopened while the disk kept the writer: taken at the next write

  std::timed_mutex file_mutex_;  // taken before mutex_; held while writing
  SharedLogSettings obeyed_;     // settings_ as the write that runs found them
  UniqueFd fd_;
  bool owns_ = true;        // false: descriptor 2, which is not ours to close
  bool regular_ = false;    // only a regular file is rotated
  bool careful_ = false;    // would block when nobody reads: asked before each write
  bool torn_ = false;       // the last write stopped inside a line: the next begins with a newline
  std::string writing_;     // taken from waiting_; what a full pipe did not take stays
  std::uint64_t size_ = 0;  // of the file, as far as known
  std::uint64_t rotate_next_ = 0;  // size at which rotation is tried; put off after a failure
  int day_ = 0;                    // of the file's first line, local
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<int> last_error_{0};
};

}  // namespace gatescope
