#include "certs/acme/state_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "certs/safe_file.h"
#include "certs/tls_context.h"

namespace gatescope::acme {

Result<UniqueFd> StateFolder::lock() const {
  if (::mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST)
    return system_error(errno, fmt::format("mkdir() \"{}\"", path_));
  const std::string name = file("lock");
  UniqueFd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return system_error(errno, fmt::format("open() \"{}\"", name));
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return UniqueFd();
    return system_error(errno, fmt::format("flock() \"{}\"", name));
  }
  return fd;
}

Result<std::optional<std::string>> StateFolder::read(std::string_view name) const {
  const std::string path = file(name);
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0 && errno == ENOENT) return std::optional<std::string>();
  auto text = tls::OwnSecrets().read_secret(path);
  if (!text) return text.error();
  return std::optional<std::string>(*std::move(text));
}

Result<void> StateFolder::write(std::string_view name, std::string_view text) const {
  return tls::write_safely(file(name), text, 0600);
}

void StateFolder::remove(std::string_view name) const {
  ::unlink(file(name).c_str());
}

Result<void> StateFolder::rename(std::string_view from, std::string_view to) const {
  const std::string old_name = file(from), new_name = file(to);
  if (::renameat2(AT_FDCWD, old_name.c_str(), AT_FDCWD, new_name.c_str(), RENAME_NOREPLACE) != 0)
    return system_error(errno, fmt::format("rename() \"{}\" to \"{}\"", old_name, new_name));
  return {};
}

}  // namespace gatescope::acme
