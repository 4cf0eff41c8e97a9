#include "proxy/http/open_log_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace gatescope::http {

Result<void> OpenLogFiles::write(int fd, const std::string& path, std::string_view line) {
  for (;;) {
    const ssize_t written = ::write(fd, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written == static_cast<ssize_t>(line.size())) return {};
    return system_error(written < 0 ? errno : ENOSPC, fmt::format("write() \"{}\"", path));
  }
}

Result<void> OpenLogFiles::append(const std::string& path, std::string_view line, MonoTime now) {
  const std::lock_guard lock(mutex_);
  forget_old(now);
  const auto held = files_.find(path);
  if (held != files_.end() && held->second.fd && now - held->second.checked >= settings_.valid) {
    struct stat info {};
    held->second.checked = now;
    if (::stat(path.c_str(), &info) != 0 || info.st_ino != held->second.inode ||
        info.st_dev != held->second.device)
      held->second.fd.reset();  // renamed or removed since
  }
  if (held != files_.end() && held->second.fd) {
    held->second.used = now;
    ++held->second.uses;
    return write(held->second.fd.get(), path, line);
  }
  UniqueFd fd(::open(path.c_str(),
                     O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644));
  if (!fd) return system_error(errno, fmt::format("open() \"{}\"", path));
  auto written = write(fd.get(), path, line);
  if (settings_.max == 0) return written;
  if (held == files_.end() && files_.size() >= settings_.max)
    files_.erase(std::min_element(files_.begin(), files_.end(), [](const auto& a, const auto& b) {
      return a.second.used < b.second.used;
    }));
  auto& file = files_[path];
  file.used = file.checked = now;
  struct stat info {};
  if (++file.uses < settings_.min_uses || ::fstat(fd.get(), &info) != 0) return written;
  file.inode = info.st_ino;
  file.device = info.st_dev;
  file.fd = std::move(fd);
  return written;
}

void OpenLogFiles::forget_old(MonoTime now) {
  std::erase_if(files_,
                [&](const auto& file) { return now - file.second.used > settings_.inactive; });
}

}  // namespace gatescope::http
