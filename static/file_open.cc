#include "static/file_open.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace gatescope::files {
namespace {

constexpr int kReadFlags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
constexpr int kLookFlags = O_PATH | O_CLOEXEC;

FileFacts facts_of(const struct stat& st) {
  FileFacts facts;
  facts.kind = S_ISREG(st.st_mode)   ? FileFacts::Kind::Regular
               : S_ISDIR(st.st_mode) ? FileFacts::Kind::Directory
                                     : FileFacts::Kind::Other;
  facts.device = st.st_dev;
  facts.inode = st.st_ino;
  facts.size = static_cast<std::uint64_t>(st.st_size);
  facts.mtime = st.st_mtim.tv_sec;
  facts.mtime_ns = st.st_mtim.tv_nsec;
  facts.ctime = st.st_ctim.tv_sec;
  facts.ctime_ns = st.st_ctim.tv_nsec;
  facts.links = st.st_nlink;
  return facts;
}

/// One step of the walk: `name` in `parent`; a link only by if_not_owner, and only when its target
/// belongs to the link's owner.
UniqueFd open_segment(int parent, const std::string& name, int flags, Symlinks rule) {
  UniqueFd fd(::openat(parent, name.c_str(), flags | O_NOFOLLOW));
  struct stat link;
  if (fd) {  // O_PATH with O_NOFOLLOW opens a link itself
    if (::fstat(fd.get(), &link) != 0 || !S_ISLNK(link.st_mode)) return fd;
  } else {  // other flags fail, O_DIRECTORY with ENOTDIR
    if (errno != ELOOP && errno != ENOTDIR) return fd;
    const int error = errno;
    const bool is_link =
        ::fstatat(parent, name.c_str(), &link, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(link.st_mode);
    errno = error;
    if (!is_link) return fd;
  }
  fd.reset();
  if (rule == Symlinks::RefuseForeign) {
    fd.reset(::openat(parent, name.c_str(), flags));
    struct stat target;
    if (!fd || (::fstat(fd.get(), &target) == 0 && target.st_uid == link.st_uid)) return fd;
    fd.reset();
  }
  errno = ELOOP;
  return fd;
}

/// Segment by segment from `base`: for if_not_owner, and for kernels (or seccomp filters) without
/// openat2.
UniqueFd walk(UniqueFd base, std::string_view rest, int flags, Symlinks rule) {
  while (true) {
    const auto begin = rest.find_first_not_of('/');
    if (begin == std::string_view::npos) {  // "a/": what was reached must be a folder
      return UniqueFd(::openat(base.get(), ".", flags));
    }
    rest.remove_prefix(begin);
    const auto slash = rest.find('/');
    const std::string name(rest.substr(0, slash));
    if (slash == std::string_view::npos) return open_segment(base.get(), name, flags, rule);
    rest.remove_prefix(slash);
    UniqueFd next = open_segment(base.get(), name, O_PATH | O_DIRECTORY | O_CLOEXEC, rule);
    if (!next) return next;
    base = std::move(next);
  }
}

UniqueFd open_without_links(const std::string& path, int flags, const OpenOptions& options) {
  auto trusted = options.trusted;
  while (trusted.ends_with('/'))
    trusted.remove_suffix(1);
  if (!trusted.empty() && path == trusted) return UniqueFd(::open(path.c_str(), flags));
  const bool applies = !trusted.empty() && path.size() > trusted.size() &&
                       path.starts_with(trusted) && path[trusted.size()] == '/';
  const std::string base_path = applies ? std::string(trusted) : path.starts_with('/') ? "/" : ".";
  const std::string rest = path.substr(applies ? trusted.size() : 0);
  UniqueFd base(::open(base_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!base) return base;
  const auto relative = rest.find_first_not_of('/');
  if (options.symlinks == Symlinks::Refuse && relative != std::string::npos) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags);
    how.resolve = RESOLVE_NO_SYMLINKS;
    UniqueFd fd(static_cast<int>(
        ::syscall(SYS_openat2, base.get(), rest.c_str() + relative, &how, sizeof how)));
    if (fd || (errno != ENOSYS && errno != EPERM)) return fd;
  }
  return walk(std::move(base), rest, flags, options.symlinks);
}

}  // namespace

Opened open_file(const std::string& path, const OpenOptions& options) {
  Opened opened;
  opened.fd = options.symlinks == Symlinks::Follow ? UniqueFd(::open(path.c_str(), kReadFlags))
                                                   : open_without_links(path, kReadFlags, options);
  if (!opened.fd) {
    opened.error = errno;
  } else if (!read_facts(opened.fd.get(), opened.facts)) {
    opened.error = errno;
    opened.call = "fstat()";
  }
  return opened;
}

Opened look_at(const std::string& path, const OpenOptions& options) {
  Opened opened;
  opened.call = "stat()";
  struct stat st;
  bool found = false;
  if (options.symlinks == Symlinks::Follow) {
    found = ::stat(path.c_str(), &st) == 0;
  } else {
    const UniqueFd fd = open_without_links(path, kLookFlags, options);
    found = fd && ::fstat(fd.get(), &st) == 0;
  }
  if (found)
    opened.facts = facts_of(st);
  else
    opened.error = errno;
  return opened;
}

bool is_own_name(const std::string& path, const FileFacts& facts) {
  struct stat st;
  return ::lstat(path.c_str(), &st) == 0 && st.st_dev == facts.device && st.st_ino == facts.inode;
}

bool read_facts(int fd, FileFacts& facts) {
  struct stat st;
  if (::fstat(fd, &st) != 0) return false;
  facts = facts_of(st);
  return true;
}

ReadOutcome read_at(int fd, std::span<std::byte> into, std::uint64_t offset, Patience patience) {
  ReadOutcome outcome;
  const iovec piece{into.data(), into.size()};
  const int flags = patience == Patience::None ? RWF_NOWAIT : 0;
  ssize_t n = -1;
  do {
    n = ::preadv2(fd, &piece, 1, static_cast<off_t>(offset), flags);
  } while (n < 0 && errno == EINTR);
  if (n >= 0) {
    outcome.bytes = static_cast<std::size_t>(n);
  } else {
    outcome.error = errno;
    outcome.would_block = patience == Patience::None && errno == EAGAIN;
  }
  return outcome;
}

bool means_missing(int error) {
  return error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG;
}

bool is_unsafe_path(std::string_view path) {
  if (path.find('\0') != std::string_view::npos) return true;
  for (std::size_t at = path.find(".."); at != std::string_view::npos;
       at = path.find("..", at + 1)) {
    const bool begins = at == 0 || path[at - 1] == '/';
    const bool ends = at + 2 == path.size() || path[at + 2] == '/';
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace gatescope::files
