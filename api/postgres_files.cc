#include "api/postgres_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "proxy/base/text.h"

namespace gatescope::api {

namespace {

bool has_binaries(const std::string& folder) {
  return ::access((folder + "/postgres").c_str(), X_OK) == 0 &&
         ::access((folder + "/initdb").c_str(), X_OK) == 0;
}

Result<OsUser> of_entry(int status, const passwd* found, const std::string& who) {
  if (found == nullptr) {
    if (status != 0) return system_error(status, "looking up user " + who + " failed");
    return make_error(ErrorKind::NotFound, Origin::Internal, "there is no user " + who);
  }
  OsUser user{.name = found->pw_name, .uid = found->pw_uid, .gid = found->pw_gid};
  int count = 64;
  user.groups.resize(static_cast<std::size_t>(count));
  if (::getgrouplist(found->pw_name, user.gid, user.groups.data(), &count) < 0) {
    user.groups.resize(static_cast<std::size_t>(count));
    ::getgrouplist(found->pw_name, user.gid, user.groups.data(), &count);
  }
  user.groups.resize(static_cast<std::size_t>(count));
  return user;
}

bool may_enter(const struct stat& info, const OsUser& user) {
  if (user.uid == 0) return true;
  if (info.st_uid == user.uid) return (info.st_mode & S_IXUSR) != 0;
  const bool member = info.st_gid == user.gid || std::find(user.groups.begin(), user.groups.end(),
                                                           info.st_gid) != user.groups.end();
  return (info.st_mode & (member ? S_IXGRP : S_IXOTH)) != 0;
}

Result<void> write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(errno, "write() \"" + path + "\" failed");
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

std::string first_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

std::optional<pid_t> noted_pid(const std::string& data) {
  const auto number = parse_unsigned(first_line(data + "/postmaster.pid"));
  if (!number || *number < 2) return std::nullopt;
  return static_cast<pid_t>(*number);
}

/// PostgreSQL's processes work in their data directory; /proc tells for those that we may touch.
bool works_in(pid_t pid, const std::string& data) {
  std::error_code unknown;
  const auto folder = std::filesystem::read_symlink(fmt::format("/proc/{}/cwd", pid), unknown);
  if (unknown) return false;
  return folder == std::filesystem::canonical(data, unknown) && !unknown;
}

}  // namespace

Result<std::string> find_postgres_binaries() {
  std::uint64_t newest = 0;
  std::string best;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
    const auto version = parse_unsigned(entry.path().filename().string());
    const std::string folder = entry.path().string() + "/bin";
    if (version && *version > newest && has_binaries(folder)) {
      newest = *version;
      best = folder;
    }
  }
  if (!best.empty()) return best;
  const char* path = std::getenv("PATH");
  for (const auto folder : split(path == nullptr ? "" : path, ':'))
    if (has_binaries(std::string(folder))) return std::string(folder);
  return make_error(ErrorKind::NotFound, Origin::Internal,
                    "no PostgreSQL server is installed (looked in /usr/lib/postgresql/*/bin and "
                    "PATH): apt-get install postgresql, or name another database");
}

Result<OsUser> os_user(const std::string& name) {
  std::vector<char> room(16 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  const int status = ::getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
  return of_entry(status, found, "\"" + name + "\"");
}

Result<OsUser> own_os_user() {
  std::vector<char> room(16 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  const int status = ::getpwuid_r(::geteuid(), &entry, room.data(), room.size(), &found);
  return of_entry(status, found, fmt::format("with the number {}", ::geteuid()));
}

Result<OsUser> postgres_os_user() {
  if (::geteuid() != 0) return own_os_user();
  auto user = os_user("postgres");
  return user ? std::move(user) : os_user("nobody");
}

Result<void> check_passable(const std::string& path, const OsUser& user) {
  for (std::size_t slash = 0; slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string parent = slash == 0 ? "/" : path.substr(0, slash);
    struct stat info {};
    if (::stat(parent.c_str(), &info) != 0)
      return system_error(errno, "stat() \"" + parent + "\" failed");
    if (may_enter(info, user)) continue;
    return make_error(ErrorKind::Forbidden, Origin::Internal,
                      fmt::format("user \"{0}\", whom embedded PostgreSQL runs as, may not enter "
                                  "\"{1}\": chmod o+x \"{1}\", or put state_dir elsewhere, for "
                                  "example state_dir /var/lib/gatescope;",
                                  user.name, parent));
  }
  return {};
}

Result<void> make_folder(const std::string& path, mode_t mode, const OsUser& owner) {
  const bool made = ::mkdir(path.c_str(), mode) == 0;
  if (!made && errno != EEXIST) return system_error(errno, "mkdir() \"" + path + "\" failed");
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return system_error(errno, "open() \"" + path + "\" failed");
  if (::geteuid() == 0 && ::fchown(fd.get(), owner.uid, owner.gid) != 0)
    return system_error(errno, "chown() \"" + path + "\" failed");
  // As asked for, whatever the umask.
  if (made && ::fchmod(fd.get(), mode) != 0)
    return system_error(errno, "chmod() \"" + path + "\" failed");
  return {};
}

Result<void> write_atomically(const std::string& path, std::string_view text, const OsUser& owner) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  {
    const UniqueFd fd(
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return system_error(errno, "open() \"" + fresh + "\" failed");
    if (::geteuid() == 0 && ::fchown(fd.get(), owner.uid, owner.gid) != 0)
      return system_error(errno, "chown() \"" + fresh + "\" failed");
    if (auto written = write_all(fd.get(), text, fresh); !written) return written;
    if (::fsync(fd.get()) != 0) return system_error(errno, "fsync() \"" + fresh + "\" failed");
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0)
    return system_error(errno, "rename() \"" + fresh + "\" failed");
  return {};
}

Result<UniqueFd> try_lock(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return system_error(errno, "open() \"" + path + "\" failed");
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno == EWOULDBLOCK) return UniqueFd();
  return system_error(errno, "flock() \"" + path + "\" failed");
}

std::optional<pid_t> living_postmaster(const std::string& data) {
  const auto pid = noted_pid(data);
  if (!pid || !works_in(*pid, data)) return std::nullopt;
  return pid;
}

void remove_misleading_pid_file(const std::string& data) {
  const auto pid = noted_pid(data);
  if (!pid || ::kill(*pid, 0) != 0) return;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const auto number = parse_unsigned(entry.path().filename().string());
    if (number && works_in(static_cast<pid_t>(*number), data)) return;
  }
  ::unlink((data + "/postmaster.pid").c_str());
}

}  // namespace gatescope::api
