#include "certs/safe_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "proxy/base/unique_fd.h"

namespace gatescope::tls {
namespace {

Result<void> fill(int fd, std::string_view text, mode_t mode, const std::string& path) {
  // mkostemp() makes files of mode 0600: a key is never readable by others, not even for a moment.
  if (::fchmod(fd, mode) != 0) return system_error(errno, fmt::format("fchmod() \"{}\"", path));
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(errno, fmt::format("write() \"{}\"", path));
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fsync(fd) != 0) return system_error(errno, fmt::format("fsync() \"{}\"", path));
  return {};
}

}  // namespace

Result<void> write_safely(const std::filesystem::path& path, std::string_view text, mode_t mode) {
  std::string temporary = path.string() + ".XXXXXX";
  const UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return system_error(errno, fmt::format("open() \"{}\"", temporary));
  auto done = fill(fd.get(), text, mode, temporary);
  if (done && std::rename(temporary.c_str(), path.c_str()) != 0) {
    done = system_error(errno, fmt::format("rename() \"{}\"", path.string()));
  }
  if (!done) {
    ::unlink(temporary.c_str());
    return done;
  }
  const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
  const UniqueFd folder_fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder_fd) ::fsync(folder_fd.get());  // some file systems cannot; the file is safe already
  return {};
}

}  // namespace gatescope::tls
