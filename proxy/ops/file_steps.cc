#include "proxy/ops/file_steps.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace gatescope::ops {

namespace {

constexpr std::size_t kPiece = 256 * 1024;

Result<void> write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error(errno, "write()", path);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Error file_error(int errno_value, std::string_view call, const std::string& path) {
  Error error = system_error(errno_value, fmt::format("{} \"{}\"", call, path));
  if (errno_value == ENOSPC || errno_value == EDQUOT)
    error.detail += "; the disk is full: make room and try again";
  if (errno_value == EROFS) error.detail += "; the file system cannot be written to";
  return error;
}

Result<std::string> read_whole(const std::string& path, std::uint64_t most_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return file_error(errno, "open()", path);
  struct stat facts {};
  if (::fstat(fd.get(), &facts) != 0) return file_error(errno, "fstat()", path);
  if (static_cast<std::uint64_t>(facts.st_size) > most_bytes)
    return make_error(ErrorKind::TooLarge, Origin::Internal,
                      fmt::format("\"{}\" is larger than {} bytes", path, most_bytes));
  std::string text;
  text.reserve(static_cast<std::size_t>(facts.st_size) + 1);
  while (true) {
    const auto at = text.size();
    text.resize(at + kPiece);
    const auto n = ::read(fd.get(), text.data() + at, kPiece);
    text.resize(at + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error(errno, "read()", path);
    if (n == 0) return text;
    if (text.size() > most_bytes)
      return make_error(ErrorKind::TooLarge, Origin::Internal,
                        fmt::format("\"{}\" is larger than {} bytes", path, most_bytes));
  }
}

Result<void> write_whole(const std::string& path, std::string_view text, unsigned mode) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!fd) return file_error(errno, "open()", path);
  if (auto written = write_all(fd.get(), text, path); !written) return written;
  if (::fchmod(fd.get(), mode) != 0) return file_error(errno, "fchmod()", path);
  return {};
}

Result<void> replace_whole(const std::string& path, std::string_view text, unsigned mode) {
  const std::string beside = path + ".gatescope-new";
  const auto give_up = [&](Error error) {
    ::unlink(beside.c_str());
    return error;
  };
  if (auto written = write_whole(beside, text, mode); !written) return give_up(written.error());
  {
    const UniqueFd fd(::open(beside.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0) return give_up(file_error(errno, "fsync()", beside));
  }
  if (::rename(beside.c_str(), path.c_str()) != 0)
    return give_up(file_error(errno, "rename()", path));
  return sync_folder(folder_of(path));
}

Result<void> copy_file(int from, const struct stat& facts, const std::string& to, unsigned mode) {
  const UniqueFd out(
      ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!out) return file_error(errno, "open()", to);
  bool by_hand = false;
  while (!by_hand) {
    const auto n = ::copy_file_range(from, nullptr, out.get(), nullptr, 1u << 30, 0);
    if (n == 0) break;
    if (n > 0 || errno == EINTR) continue;
    if (errno == ENOSPC || errno == EDQUOT) return file_error(errno, "copy_file_range()", to);
    by_hand = true;  // between these two file systems the kernel cannot
  }
  // What cannot be copied within the kernel, and what it says is empty and is not (/proc).
  std::string piece(kPiece, '\0');
  while (true) {
    const auto n = ::read(from, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error(errno, "read()", to);
    if (n == 0) break;
    const std::string_view some(piece.data(), static_cast<std::size_t>(n));
    if (auto written = write_all(out.get(), some, to); !written) return written;
  }
  if (::fchmod(out.get(), mode) != 0) return file_error(errno, "fchmod()", to);
  const timespec times[2] = {facts.st_atim, facts.st_mtim};
  if (::futimens(out.get(), times) != 0) return file_error(errno, "futimens()", to);
  return {};
}

Result<void> point_link(const std::string& link, const std::string& target,
                        const std::string& scratch) {
  ::unlink(scratch.c_str());
  if (::symlink(target.c_str(), scratch.c_str()) != 0)
    return file_error(errno, "symlink()", scratch);
  if (::rename(scratch.c_str(), link.c_str()) != 0) {
    const int why = errno;
    ::unlink(scratch.c_str());
    return file_error(why, "rename()", link);
  }
  return sync_folder(folder_of(link));
}

Result<void> make_folder(const std::string& path, unsigned mode) {
  if (::mkdir(path.c_str(), mode) == 0) {
    if (::chmod(path.c_str(), mode) != 0) return file_error(errno, "chmod()", path);
    return {};
  }
  if (errno == EEXIST && is_folder(path)) return {};
  return file_error(errno, "mkdir()", path);
}

namespace {

Result<void> remove_below(int parent, const char* name, const std::string& shown) {
  if (::unlinkat(parent, name, 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return file_error(errno, "unlink()", shown);
  const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return file_error(errno, "open()", shown);
  const Folder folder(::fdopendir(fd));
  if (!folder) return file_error(errno, "opendir()", shown);
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view inner = entry->d_name;
    if (inner == "." || inner == "..") continue;
    auto removed = remove_below(fd, entry->d_name, fmt::format("{}/{}", shown, inner));
    if (!removed) return removed;
  }
  if (::unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
    return file_error(errno, "rmdir()", shown);
  return {};
}

Result<void> list_below(int fd, const std::string& root, const std::string& prefix,
                        std::size_t most, std::vector<TreeEntry>& all) {
  const Folder folder(::fdopendir(fd));
  if (!folder) return file_error(errno, "opendir()", root + "/" + prefix);
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    TreeEntry found{prefix.empty() ? std::string(name) : fmt::format("{}/{}", prefix, name), {}};
    const std::string shown = root + "/" + found.path;
    if (all.size() >= most)
      return make_error(ErrorKind::TooLarge, Origin::Internal,
                        fmt::format("\"{}\" holds more than {} entries", root, most));
    if (::fstatat(fd, entry->d_name, &found.facts, AT_SYMLINK_NOFOLLOW) != 0)
      return file_error(errno, "lstat()", shown);
    const bool folder_inside = S_ISDIR(found.facts.st_mode);
    const std::string path = found.path;
    all.push_back(std::move(found));
    if (!folder_inside) continue;
    const int inner = ::openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner < 0) return file_error(errno, "open()", shown);
    if (auto listed = list_below(inner, root, path, most, all); !listed) return listed;
  }
  return {};
}

}  // namespace

Result<void> remove_tree(const std::string& path) {
  return remove_below(AT_FDCWD, path.c_str(), path);
}

Result<std::vector<TreeEntry>> list_tree(const std::string& root, std::size_t most_entries) {
  const int fd = ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return file_error(errno, "open()", root);
  std::vector<TreeEntry> all;
  if (auto listed = list_below(fd, root, {}, most_entries, all); !listed) return listed.error();
  std::ranges::sort(all, {}, &TreeEntry::path);
  return all;
}

Result<void> sync_folder(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return file_error(errno, "fsync()", path);
  return {};
}

Result<void> sync_file_system(const std::string& path_in_it) {
  const UniqueFd fd(::open(path_in_it.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::syncfs(fd.get()) != 0) return file_error(errno, "syncfs()", path_in_it);
  return {};
}

std::optional<std::string> link_text(const std::string& path) {
  std::string text(4096, '\0');
  const auto n = ::readlink(path.c_str(), text.data(), text.size());
  if (n < 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(n));
  return text;
}

bool is_folder(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

bool exists(const std::string& path) {
  struct stat facts {};
  return ::lstat(path.c_str(), &facts) == 0;
}

}  // namespace gatescope::ops
