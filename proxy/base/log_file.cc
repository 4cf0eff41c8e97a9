#include "proxy/base/log_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>

namespace gatescope {
namespace {

constexpr std::string_view kStderr = "stderr", kNewline = "\n";
constexpr Duration kUsualFlush{1000};
constexpr Duration kPipeRetry{50};    // for a reader that is slow
constexpr Duration kLastFlush{2000};  // how long the end waits for a disk that does not answer

std::uint64_t count_lines(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

int local_day(std::time_t seconds) {
  std::tm fields{};
  ::localtime_r(&seconds, &fields);
  return fields.tm_year * 366 + fields.tm_yday;
}

}  // namespace

Result<std::unique_ptr<LogFile>> LogFile::open(std::string path, LogFileSettings settings) {
  if (path == kStderr)
    return std::make_unique<LogFile>(UniqueFd(STDERR_FILENO), std::move(path), std::move(settings));
  auto fd = OwnLogOpener().open_log(path);
  if (!fd) return std::move(fd).error();
  return std::make_unique<LogFile>(std::move(fd).value(), std::move(path), std::move(settings));
}

LogFile::LogFile(UniqueFd fd, std::string path, LogFileSettings settings, LogOpener* opener)
    : path_(std::move(path)),
      opener_(opener),
      settings_(std::make_shared<const LogFileSettings>(std::move(settings))),
      obeyed_(settings_) {
  waiting_.reserve(settings_->buffer);
  adopt(std::move(fd));
}

LogFile::~LogFile() {
  flush();
  if (!owns_) fd_.release();
}

void LogFile::adopt(UniqueFd fd) {
  if (!owns_) fd_.release();
  fd_ = std::move(fd);
  owns_ = fd_.get() != STDERR_FILENO;
  struct stat info {};
  const bool known = ::fstat(fd_.get(), &info) == 0;
  regular_ = known && S_ISREG(info.st_mode);
  careful_ = !regular_ && (::fcntl(fd_.get(), F_GETFL) & O_NONBLOCK) == 0;
  size_ = regular_ ? static_cast<std::uint64_t>(info.st_size) : 0;
  rotate_next_ = 0;
  day_ = local_day(size_ > 0 ? info.st_mtime : std::time(nullptr));
  if (size_ == 0) torn_ = false;
}

void LogFile::append(std::string_view line) {
  append(line, nullptr, MonoTime{});
}

void LogFile::append(std::string_view line, const SharedLogSettings& settings, MonoTime now) {
  std::unique_lock lock(mutex_);
  if (settings && settings != settings_) settings_ = settings;
  const auto buffer = settings_->buffer;
  if (in_background()) {
    if (waiting_.size() + line.size() + 1 > settings_->most_waiting()) return lose(1, 0);
    const bool first = waiting_.empty();
    if (first) first_waiting_ = now;
    waiting_ += line;
    waiting_ += '\n';
    const bool newly_due = !due_ && waiting_.size() > buffer;
    due_ = due_ || newly_due;
    if (newly_due || (first && settings_->flush > Duration::zero())) waker_->wake();
    return;
  }
  if (waiting_.size() + line.size() + 1 > buffer) {
    const bool alone = line.size() + 1 > buffer;
    if (alone && waiting_.empty() && !settings_->encoder) {
      lock.unlock();
      const std::lock_guard file_lock(file_mutex_);
      {
        const std::lock_guard again(mutex_);
        obeyed_ = settings_;
      }
      return write_line(line);
    }
    if (!waiting_.empty()) {
      lock.unlock();
      flush();
      lock.lock();
    }
    if (alone) {
      waiting_.append(line) += '\n';
      lock.unlock();
      return flush();
    }
  }
  if (waiting_.empty()) first_waiting_ = now;
  waiting_ += line;
  waiting_ += '\n';
}

void LogFile::set_waker(LogWaker* waker) {
  const std::lock_guard lock(mutex_);
  waker_ = waker;
}

void LogFile::lose(std::uint64_t lines, int error) {
  if (lines == 0) return;
  lost_.fetch_add(lines, std::memory_order_relaxed);
  last_error_.store(error, std::memory_order_relaxed);
}

void LogFile::flush() {
  // Until a time of the wall clock: ThreadSanitizer (GCC 12's) does not know the call behind
  // others.
  const std::unique_lock lock(file_mutex_, std::chrono::system_clock::now() + kLastFlush);
  if (!lock.owns_lock()) return;  // the writer's thread hangs in the disk with them
  write_out(Patience::None);
}

MonoTime LogFile::tick(MonoTime now, WallTime wall) {
  MonoTime next{};
  bool due = false, daily = false;
  {
    const std::lock_guard lock(mutex_);
    due = due_;
    daily = settings_->rotate_daily;
    const bool by_time = settings_->flush > Duration::zero() || !settings_->encoder;
    if (!due && !waiting_.empty() && by_time) {
      if (first_waiting_ == MonoTime{}) first_waiting_ = now;
      const auto patience = settings_->flush > Duration::zero() ? settings_->flush : kUsualFlush;
      due = now - first_waiting_ >= patience;
      if (!due) next = first_waiting_ + patience;
    }
  }
  const std::lock_guard lock(file_mutex_);
  if (due || !writing_.empty()) write_out(Patience::UntilNextTick);
  if (!writing_.empty()) next = now + kPipeRetry;
  if (daily) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(wall).time_since_epoch().count();
    const int today = local_day(seconds);
    if (regular_ && size_ > 0 && today != day_) {
      write_out(Patience::None);  // still yesterday's
      rotate_now();
    }
    day_ = today;
  }
  return next;
}

void LogFile::write_out(Patience patience) {
  // Twice: what a full pipe left the last time, then what has come since.
  for (bool again = true; again;) {
    again = !writing_.empty();
    {
      const std::lock_guard lock(mutex_);
      obeyed_ = settings_;
      if (writing_.empty()) {
        writing_.swap(waiting_);
        due_ = false;
        first_waiting_ = MonoTime{};
      }
      if (next_fd_) adopt(std::move(next_fd_));
    }
    if (writing_.empty()) return;
    make_room(writing_.size());
    if (obeyed_->encoder) {
      const auto encoded = obeyed_->encoder->encode(writing_);
      Parts parts{std::string_view(), encoded, std::string_view()};
      if (const int error = put(parts)) lose(count_lines(writing_), error);
      torn_ = false;  // a newline would mend nothing
      writing_.clear();
      continue;
    }
    Parts parts{torn_ ? kNewline : std::string_view(), writing_, std::string_view()};
    const int error = put(parts);
    if (error == EAGAIN && patience == Patience::UntilNextTick) {
      torn_ = torn_ && writing_.size() == parts[1].size();  // else it goes on where it stopped
      writing_.erase(0, writing_.size() - parts[1].size());
      return;
    }
    if (error) lose(count_lines(parts[1]), error);
    writing_.clear();
    if (writing_.capacity() > LogFileSettings::kLeastWaiting) writing_.shrink_to_fit();
  }
}

void LogFile::write_line(std::string_view line) {
  make_room(line.size() + 1);
  Parts parts{torn_ ? kNewline : std::string_view(), line, kNewline};
  if (const int error = put(parts)) lose(parts[2].size(), error);
}

/// Rotates when so many more bytes would be too many.
void LogFile::make_room(std::size_t bytes) {
  const auto limit = std::max(rotate_next_, obeyed_->rotate_at);
  if (obeyed_->rotate_at == 0 || !regular_ || size_ == 0 || size_ + bytes <= limit) return;
  struct stat info {};  // copytruncate may have made it shorter
  if (::fstat(fd_.get(), &info) == 0) size_ = static_cast<std::uint64_t>(info.st_size);
  if (size_ > 0 && size_ + bytes > limit) rotate_now();
}

// All in one writev(2), so that lines of several processes do not mix. What the system takes only
// in part is offered once more; what it refuses then stays in `parts`, and its errno is returned.
int LogFile::put(Parts& parts) {
  while (!parts[0].empty() || !parts[1].empty() || !parts[2].empty()) {
    auto left = write_some(parts);
    if (left == 0) return errno != 0 ? errno : EIO;
    size_ += left;
    for (std::string_view& part : parts) {
      const std::size_t here = std::min(left, part.size());
      if (here > 0) torn_ = part[here - 1] != '\n';
      part.remove_prefix(here);
      left -= here;
    }
  }
  return 0;
}

/// What the system took; 0 with errno when nothing.
std::size_t LogFile::write_some(const Parts& parts) {
  std::size_t limit = SIZE_MAX;
  if (careful_) {
    pollfd ready{fd_.get(), POLLOUT, 0};
    if (::poll(&ready, 1, 0) == 0) {
      errno = EAGAIN;
      return 0;
    }
    limit = PIPE_BUF;  // as much as a pipe that is ready takes without waiting
  }
  std::array<iovec, 3> vectors;
  int count = 0;
  for (std::string_view part : parts) {
    part = part.substr(0, limit);
    limit -= part.size();
    if (!part.empty()) vectors[count++] = {const_cast<char*>(part.data()), part.size()};
  }
  for (errno = 0;;) {
    const ssize_t written = ::writev(fd_.get(), vectors.data(), count);
    if (written < 0 && errno == EINTR) continue;
    return written > 0 ? static_cast<std::size_t>(written) : 0;
  }
}

void LogFile::rotate() {
  const std::lock_guard lock(file_mutex_);
  write_out(Patience::None);
  if (regular_ && size_ > 0) rotate_now();
}

void LogFile::rotate_now() {
  OwnLogOpener own;
  auto fd = (opener_ ? *opener_ : own).rotate_log(path_, obeyed_->keep);
  if (fd) return adopt(std::move(*fd));
  // Not allowed in that folder, or no descriptor left: go on in the old file, and do not try again
  // at each line.
  rotate_next_ = size_ + obeyed_->rotate_at;
}

Result<void> LogFile::reopen() {
  if (path_ == kStderr) return {};
  OwnLogOpener own;
  auto fd = (opener_ ? *opener_ : own).open_log(path_);
  if (!fd) return std::move(fd).error();
  replace(std::move(*fd));
  return {};
}

void LogFile::replace(UniqueFd fd) {
  const std::unique_lock lock(file_mutex_, std::try_to_lock);
  if (lock.owns_lock()) {
    write_out(Patience::None);
    return adopt(std::move(fd));
  }
  const std::lock_guard short_lock(mutex_);
  next_fd_ = std::move(fd);
}

}  // namespace gatescope
