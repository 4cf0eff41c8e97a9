#include "proxy/base/log_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <span>

namespace gatescope {
namespace {

constexpr std::string_view kStderr = "stderr";

Result<UniqueFd> open_for_append(const std::string& path) {
  // O_NONBLOCK: a FIFO without a reader must not stop the server; it changes nothing for a regular
  // file.
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644));
  if (!fd) return system_error(errno, fmt::format("open() \"{}\"", path));
  return fd;
}

std::uint64_t count_lines(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

Result<std::unique_ptr<LogFile>> LogFile::open(std::string path, LogFileSettings settings) {
  if (path == kStderr) {
    return std::make_unique<LogFile>(UniqueFd(STDERR_FILENO), std::move(path), settings);
  }
  auto fd = open_for_append(path);
  if (!fd) return std::move(fd).error();
  return std::make_unique<LogFile>(std::move(fd).value(), std::move(path), settings);
}

LogFile::LogFile(UniqueFd fd, std::string path, LogFileSettings settings)
    : path_(std::move(path)), settings_(settings) {
  buffer_.reserve(settings_.buffer);
  adopt_locked(std::move(fd));
}

LogFile::~LogFile() {
  flush();
  if (!owns_) fd_.release();
}

void LogFile::adopt_locked(UniqueFd fd) {
  if (!owns_) fd_.release();
  fd_ = std::move(fd);
  owns_ = fd_.get() != STDERR_FILENO;
  struct stat info {};
  const bool known = ::fstat(fd_.get(), &info) == 0;
  regular_ = known && S_ISREG(info.st_mode);
  size_ = regular_ ? static_cast<std::uint64_t>(info.st_size) : 0;
  rotate_next_ = settings_.rotate_at;
  if (size_ == 0) torn_ = false;
}

void LogFile::append(std::string_view line) {
  std::lock_guard lock(mutex_);
  if (buffer_.size() + line.size() + 1 > settings_.buffer) {
    flush_locked();
    if (line.size() + 1 > settings_.buffer) {
      write_locked(line, true);
      return;
    }
  }
  buffer_ += line;
  buffer_ += '\n';
}

void LogFile::flush() {
  std::lock_guard lock(mutex_);
  flush_locked();
}

void LogFile::flush_locked() {
  if (buffer_.empty()) return;
  write_locked(buffer_, false);
  buffer_.clear();
}

// All in one writev(2), so that lines of several processes do not mix. What the system takes only
// in part is offered once more; what it refuses then is lost and counted: a log never holds up the
// server.
void LogFile::write_locked(std::string_view bytes, bool add_newline) {
  if (settings_.rotate_at != 0 && regular_ && size_ > 0 &&
      size_ + bytes.size() + (add_newline ? 1 : 0) > rotate_next_) {
    rotate_locked();
  }
  static constexpr std::string_view kNewline = "\n";
  std::array<std::string_view, 3> parts{torn_ ? kNewline : std::string_view(), bytes,
                                        add_newline ? kNewline : std::string_view()};
  for (;;) {
    std::array<iovec, 3> vectors;
    int count = 0;
    for (std::string_view part : parts) {
      if (!part.empty()) vectors[count++] = {const_cast<char*>(part.data()), part.size()};
    }
    if (count == 0) return;
    const ssize_t written = ::writev(fd_.get(), vectors.data(), count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    size_ += static_cast<std::uint64_t>(written);
    auto left = static_cast<std::size_t>(written);
    for (std::string_view& part : parts) {
      const std::size_t here = std::min(left, part.size());
      if (here > 0) torn_ = part[here - 1] != '\n';
      part.remove_prefix(here);
      left -= here;
    }
  }
  // A torn line's newline is among the rest, so it counts as lost too. The repairing newline is no
  // line.
  lost_.fetch_add(count_lines(parts[1]) + parts[2].size(), std::memory_order_relaxed);
}

void LogFile::rotate() {
  std::lock_guard lock(mutex_);
  flush_locked();
  if (regular_ && size_ > 0) rotate_locked();
}

void LogFile::rotate_locked() {
  const auto numbered = [this](unsigned n) { return fmt::format("{}.{}", path_, n); };
  for (unsigned n = settings_.keep; n > 1; --n) {
    std::rename(numbered(n - 1).c_str(), numbered(n).c_str());  // a gap in the row is no error
  }
  const int failed = settings_.keep == 0 ? ::unlink(path_.c_str())
                                         : std::rename(path_.c_str(), numbered(1).c_str());
  if (failed == 0) {
    if (auto fd = open_for_append(path_)) {
      adopt_locked(std::move(fd).value());
      return;
    }
  }
  // Not allowed in that folder, or no descriptor left: go on in the old file, and do not try again
  // at each line.
  rotate_next_ = size_ + settings_.rotate_at;
}

Result<void> LogFile::reopen() {
  std::lock_guard lock(mutex_);
  flush_locked();
  if (path_ == kStderr) return {};
  auto fd = open_for_append(path_);
  if (!fd) return std::move(fd).error();
  adopt_locked(std::move(fd).value());
  return {};
}

void LogFile::replace(UniqueFd fd) {
  std::lock_guard lock(mutex_);
  flush_locked();
  adopt_locked(std::move(fd));
}

}  // namespace gatescope
