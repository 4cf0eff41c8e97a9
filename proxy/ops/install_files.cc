#include "proxy/ops/install_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "proxy/ops/file_steps.h"

namespace gatescope::ops {

namespace {

// What was shipped last, by path with the slashes replaced.
constexpr std::string_view kShipped = "/var/lib/gatescope/.shipped";
constexpr std::uint64_t kMostText = 1u << 20;

struct CloseFile {
  void operator()(FILE* file) const { ::fclose(file); }
};
using OpenFile = std::unique_ptr<FILE, CloseFile>;

std::string owner_in_words(unsigned mode, const char* user, const char* group) {
  return fmt::format("{}{}{}, {:04o}", user ? user : "root", group ? ":" : "", group ? group : "",
                     mode);
}

}  // namespace

std::string_view name_of(Step step) {
  switch (step) {
    case Step::Done:
      return "done";
    case Step::Would:
      return "would";
    case Step::AsIs:
      return "as is";
    case Step::Note:
      return "note";
  }
  return "";
}

bool InstallFiles::may(const std::string& text) {
  say(request_.dry_run ? Step::Would : Step::Done, text);
  return !request_.dry_run;
}

std::optional<std::pair<uid_t, gid_t>> InstallFiles::user_id(const char* name) const {
  if (request_.root.empty()) {
    const passwd* user = ::getpwnam(name);
    if (user == nullptr) return std::nullopt;
    return std::pair(user->pw_uid, user->pw_gid);
  }
  const OpenFile file(::fopen(at("/etc/passwd").c_str(), "re"));
  while (const passwd* user = file ? ::fgetpwent(file.get()) : nullptr)
    if (user->pw_name == std::string_view(name)) return std::pair(user->pw_uid, user->pw_gid);
  return std::nullopt;
}

std::optional<gid_t> InstallFiles::group_id(const char* name) const {
  if (request_.root.empty()) {
    const struct group* found = ::getgrnam(name);
    if (found == nullptr) return std::nullopt;
    return found->gr_gid;
  }
  const OpenFile file(::fopen(at("/etc/group").c_str(), "re"));
  while (const struct group* found = file ? ::fgetgrent(file.get()) : nullptr)
    if (found->gr_name == std::string_view(name)) return found->gr_gid;
  return std::nullopt;
}

Result<void> InstallFiles::folder(const std::string& path, unsigned mode, const char* user,
                                  const char* group) {
  const auto ids = user ? user_id(user) : std::nullopt;
  const auto gid = group ? group_id(group) : std::nullopt;
  if (group && !gid) group = nullptr;  // not every system has "adm"
  const uid_t owner = ids ? ids->first : 0;
  const gid_t owner_group = gid ? *gid : ids ? ids->second : 0;
  const std::string shown = fmt::format("{} ({})", at(path), owner_in_words(mode, user, group));
  struct stat facts {};
  if (::lstat(at(path).c_str(), &facts) == 0) {
    if (!is_folder(at(path)))
      return make_error(ErrorKind::Invalid, Origin::Internal,
                        at(path) + " is there and is no folder: move it away");
    // Whoever changed who may look into it had a reason.
    say(Step::AsIs, "folder " + at(path));
    return {};
  }
  if (!may("make folder " + shown)) return {};
  for (std::size_t slash = request_.root.size() + 1;
       (slash = at(path).find('/', slash)) != std::string::npos; ++slash)
    if (auto made = make_folder(at(path).substr(0, slash), 0755); !made) return made;
  if (auto made = make_folder(at(path), mode); !made) return made;
  if (::geteuid() == 0 && ::lchown(at(path).c_str(), owner, owner_group) != 0)
    return file_error(errno, "chown()", at(path));
  return {};
}

std::string InstallFiles::shipped_path(const std::string& path) const {
  std::string name = path.substr(1);
  std::ranges::replace(name, '/', '_');
  return at(std::string(kShipped)) + "/" + name;
}

Result<void> InstallFiles::remember(const std::string& path, std::string_view text) {
  if (request_.dry_run) return {};
  if (auto made = make_folder(at(std::string(kShipped)), 0755); !made) return made;
  return replace_whole(shipped_path(path), text, 0644);
}

Result<void> InstallFiles::write(const std::string& path, std::string_view text) {
  return replace_whole(at(path), text, 0644);
}

Result<void> InstallFiles::edited_file(const std::string& path, std::string_view text) {
  const auto before = read_whole(shipped_path(path), kMostText);
  if (!exists(at(path))) {
    if (before) {
      say(Step::AsIs, at(path) + " was removed by somebody, and stays so");
      return {};
    }
    if (may("write " + at(path)))
      if (auto written = write(path, text); !written) return written;
    return remember(path, text);
  }
  const auto now = read_whole(at(path), kMostText);
  if (!now) return now.error();
  if (*now == text) {
    say(Step::AsIs, at(path));
    return before && *before == text ? Result<void>() : remember(path, text);
  }
  if (before && *now == *before) {
    if (may("update " + at(path) + " (it was not edited)"))
      if (auto written = write(path, text); !written) return written;
    return remember(path, text);
  }
  if (before && *before == text) {
    say(Step::AsIs, at(path) + " (edited)");
    return {};
  }
  if (may(fmt::format(
          "write {0}.new, since {0} was edited: compare them with \"diff -u {0} {0}.new\"",
          at(path))))
    if (auto written = write(path + ".new", text); !written) return written;
  return remember(path, text);
}

Result<void> InstallFiles::program(const std::string& from, const std::string& path) {
  const UniqueFd fd(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat source {
  }, target{};
  if (!fd || ::fstat(fd.get(), &source) != 0) return file_error(errno, "open()", from);
  if (::stat(at(path).c_str(), &target) == 0 && target.st_dev == source.st_dev &&
      target.st_ino == source.st_ino) {
    say(Step::AsIs, at(path));
    return {};
  }
  constexpr std::uint64_t kMostProgram = 1u << 30;
  if (target.st_size == source.st_size) {
    const auto ours = read_whole(from, kMostProgram), theirs = read_whole(at(path), kMostProgram);
    if (ours && theirs && *ours == *theirs) {
      say(Step::AsIs, at(path));
      return {};
    }
  }
  if (!may(fmt::format("copy {} to {}", from, at(path)))) return {};
  const std::string beside = at(path) + ".gatescope-new";
  ::unlink(beside.c_str());
  if (auto copied = copy_file(fd.get(), source, beside, 0755); !copied) return copied;
  if (::rename(beside.c_str(), at(path).c_str()) != 0) {
    const int why = errno;
    ::unlink(beside.c_str());
    return file_error(why, "rename()", at(path));
  }
  return {};
}

Result<void> InstallFiles::remove(const std::string& path) {
  if (!exists(at(path))) return {};
  if (!may("remove " + at(path))) return {};
  if (::unlink(at(path).c_str()) != 0 && errno != ENOENT)
    return file_error(errno, "unlink()", at(path));
  return {};
}

Result<void> InstallFiles::remove_all_below(const std::string& path) {
  if (!exists(at(path))) return {};
  return may("remove " + at(path) + " and all that is in it") ? remove_tree(at(path))
                                                              : Result<void>();
}

}  // namespace gatescope::ops
