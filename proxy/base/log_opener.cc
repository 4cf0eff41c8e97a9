// OwnLogOpener: files for appending, and the row of old ones.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "proxy/base/log_file.h"

namespace gatescope {

Result<UniqueFd> OwnLogOpener::open_log(const std::string& path) {
  if (path == "stderr") return UniqueFd(::fcntl(2, F_DUPFD_CLOEXEC, 3));
  constexpr int kUsual = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  UniqueFd fd(::open(path.c_str(), kUsual, 0644));
  // A FIFO that nobody reads yet: opened for reading too it can be opened, and what is written
  // waits in it.
  if (!fd && errno == ENXIO) fd.reset(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return system_error(errno, fmt::format("open() \"{}\"", path));
  return fd;
}

Result<UniqueFd> OwnLogOpener::rotate_log(const std::string& path, unsigned keep) {
  const auto numbered = [&](unsigned n) { return fmt::format("{}.{}", path, n); };
  for (unsigned n = keep; n > 1; --n)
    std::rename(numbered(n - 1).c_str(), numbered(n).c_str());  // a gap in the row is no error
  const int failed =
      keep == 0 ? ::unlink(path.c_str()) : std::rename(path.c_str(), numbered(1).c_str());
  if (failed != 0) return system_error(errno, fmt::format("rename() \"{}\"", path));
  return open_log(path);
}

}  // namespace gatescope
