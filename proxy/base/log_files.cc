#include "proxy/base/log_files.h"

#include <fcntl.h>

#include <cerrno>

namespace gatescope {

Result<UniqueFd> OwnLogOpener::open_log(const std::string& path) {
  if (path == "stderr") return UniqueFd(::fcntl(2, F_DUPFD_CLOEXEC, 3));
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644));
  if (!fd) return system_error(errno, "open() \"" + path + "\"");
  return fd;
}

Result<LogFile*> LogFiles::get(const std::string& path, LogFileSettings settings) {
  std::lock_guard lock(mutex_);
  auto& held = files_[path];
  if (!held) {
    auto fd = opener_.open_log(path);
    if (!fd) {
      files_.erase(path);
      return fd.error();
    }
    held = std::make_unique<LogFile>(std::move(*fd), path, settings);
  }
  return held.get();
}

std::vector<std::string> LogFiles::reopen() {
  std::lock_guard lock(mutex_);
  std::vector<std::string> failed;
  for (auto& [path, file] : files_) {
    auto fd = opener_.open_log(path);
    if (fd) {
      file->replace(std::move(*fd));
    } else {
      failed.push_back(fd.error().detail);
    }
  }
  return failed;
}

void LogFiles::flush() {
  std::lock_guard lock(mutex_);
  for (auto& [path, file] : files_)
    file->flush();
}

std::uint64_t LogFiles::lost_lines() const {
  std::lock_guard lock(mutex_);
  std::uint64_t lost = 0;
  for (const auto& [path, file] : files_)
    lost += file->lost_lines();
  return lost;
}

}  // namespace gatescope
