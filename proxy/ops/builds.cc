#include "proxy/ops/builds.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "proxy/base/text.h"
#include "proxy/http/content_hash.h"
#include "proxy/http/encoding.h"
#include "proxy/ops/file_steps.h"
#include "proxy/ops/precompress.h"

namespace gatescope::ops {

namespace {

constexpr std::string_view kFirstLine = "gatescope build 1";
constexpr std::string_view kStage = ".stage-", kSwap = "/.swap", kNext = "/.next";
constexpr std::uint64_t kMostManifest = 64u << 20;
constexpr std::size_t kMostEntries = 1'000'000;  // own files, forms and those of other builds

std::string last_part(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  DIR* const open = ::opendir(folder.c_str());
  if (open == nullptr) return names;
  while (const dirent* entry = ::readdir(open))
    names.emplace_back(entry->d_name);
  ::closedir(open);
  std::ranges::sort(names);
  return names;
}

/// When the build of that name was made; `otherwise` where the name is somebody else's.
WallTime time_of(const std::string& id, WallTime otherwise) {
  std::tm fields{};
  if (!::strptime(id.c_str(), "%Y%m%d-%H%M%S", &fields)) return otherwise;
  return WallTime(std::chrono::seconds(::timegm(&fields)));
}

/// A name for the same content; where that may not be (protected_hardlinks, another file system), a
/// copy.
Result<void> show_file(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) == 0 || errno == EEXIST) return {};
  const UniqueFd fd(::open(from.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat facts {};
  if (!fd || ::fstat(fd.get(), &facts) != 0) return file_error(errno, "open()", from);
  return copy_file(fd.get(), facts, to, 0644);
}

}  // namespace

BuildStore::BuildStore(std::string root, UniqueFd lock)
    : root_(std::move(root)), folder_(root_ + ".builds"), lock_(std::move(lock)) {}

bool BuildStore::is_there(const std::string& root) {
  return is_folder(root + ".builds");
}

Result<BuildStore> BuildStore::open(std::string root) {
  BuildStore store(std::move(root), UniqueFd());
  if (auto made = make_folder(store.folder_, 0755); !made) return made.error();
  const std::string path = store.folder_ + "/.lock";
  store.lock_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!store.lock_) return file_error(errno, "open()", path);
  if (::flock(store.lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    const auto who = read_whole(path, 100);
    return make_error(ErrorKind::Busy, Origin::Internal,
                      fmt::format("another deploy to {} is running (process {}); wait for it",
                                  store.root_, who ? std::string(trim(*who)) : "unknown"));
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(store.lock_.get(), 0) != 0 ||
      ::pwrite(store.lock_.get(), pid.data(), pid.size(), 0) < 0)
    return file_error(errno, "write()", path);
  if (auto recovered = store.recover(); !recovered) return recovered.error();
  return store;
}

/// After one that was killed.
Result<void> BuildStore::recover() {
  for (const auto& name : names_in(folder_))
    if (name.starts_with(kStage) || name == ".gone" ||
        (!name.starts_with('.') && !exists(site_of(name))))
      if (auto removed = remove_tree(folder_ + "/" + name); !removed) return removed;
  const std::string swapped = folder_ + std::string(kSwap);
  if (is_folder(swapped) && !link_text(swapped)) {
    // The folder that was served had left its place, and had not come to its new one.
    std::string after;
    live(&after);
    auto adopted = adopt(swapped, root_, time_of(after, SystemClock().wall()));
    if (!adopted) return adopted.error();
  } else {
    ::unlink(swapped.c_str());
  }
  ::unlink((folder_ + std::string(kNext)).c_str());
  return {};
}

std::optional<Build> BuildStore::read(const std::string& id) const {
  const auto text = read_whole(folder_ + "/" + id + "/build", kMostManifest);
  if (!text || !text->starts_with(kFirstLine) || !is_folder(site_of(id))) return std::nullopt;
  Build build;
  build.id = id;
  for (const auto line : split(*text, '\n')) {
    if (line.starts_with("from ")) build.from = line.substr(5);
    if (line.starts_with("file ")) build.files.emplace_back(line.substr(5));
  }
  return build;
}

Result<void> BuildStore::write(const std::string& folder, const Build& build) const {
  std::string text = fmt::format("{}\nfrom {}\n", kFirstLine, build.from);
  for (const auto& file : build.files)
    text += "file " + file + "\n";
  return write_whole(folder + "/build", text, 0644);
}

std::vector<Build> BuildStore::list() const {
  std::string live_one;
  live(&live_one);
  std::vector<Build> builds;
  for (const auto& name : names_in(folder_)) {
    if (name.starts_with('.')) continue;
    auto build = read(name);
    if (!build) continue;
    build->live = name == live_one;
    builds.push_back(std::move(*build));
  }
  return builds;
}

std::optional<Build> BuildStore::before_builds() const {
  const Live kind = live();
  if (kind != Live::Folder && kind != Live::OtherLink) return std::nullopt;
  Build build;
  const auto entries = list_tree(root_, kMostEntries);
  if (!entries) return std::nullopt;
  for (const auto& entry : *entries)
    if (S_ISREG(entry.facts.st_mode)) build.files.push_back(entry.path);
  return build;
}

BuildStore::Live BuildStore::live(std::string* id) const {
  if (!exists(root_)) return Live::Nothing;
  const auto target = link_text(root_);
  if (!target) return Live::Folder;
  const std::string mine = last_part(root_) + ".builds/";
  if (!target->starts_with(mine) || !target->ends_with("/site")) return Live::OtherLink;
  if (id) *id = target->substr(mine.size(), target->size() - mine.size() - 5);
  return Live::Build;
}

Result<std::string> BuildStore::begin_stage() {
  const std::string stage = fmt::format("{}/{}{}", folder_, kStage, ::getpid());
  if (auto made = make_folder(stage, 0755); !made) return made.error();
  if (auto made = make_folder(stage + "/site", 0755); !made) return made.error();
  return stage;
}

std::string BuildStore::new_id(const std::string& site, const std::vector<std::string>& files,
                               WallTime time) const {
  std::string all;
  for (const auto& file : files) {
    const auto text = read_whole(site + "/" + file, std::uint64_t{1} << 32);
    all += fmt::format("{} {:x}\n", file, text ? http::checksum(*text) : 0);
  }
  const std::string id =
      fmt::format("{:%Y%m%d-%H%M%S}-{:08x}",
                  fmt::gmtime(std::chrono::system_clock::to_time_t(
                      std::chrono::time_point_cast<std::chrono::system_clock::duration>(time))),
                  http::checksum(all));
  std::string free = id;
  for (int n = 2; exists(folder_ + "/" + free); ++n)
    free = fmt::format("{}-{}", id, n);
  return free;
}

/// The order of names is that of deploys, whatever the clock says.
WallTime BuildStore::after_all(WallTime now) const {
  const auto builds = list();
  if (builds.empty()) return now;
  const auto after = std::chrono::seconds(1);
  return std::max(now, time_of(builds.back().id, now - after) + after);
}

Result<std::string> BuildStore::keep_stage(const std::string& stage, const Build& build,
                                           WallTime now) {
  const std::string id = new_id(stage + "/site", build.files, after_all(now));
  if (auto written = write(stage, build); !written) return written.error();
  const std::string to = folder_ + "/" + id;
  // All of it is on the disk before it has a name.
  if (auto synced = sync_file_system(stage); !synced) return synced.error();
  if (::rename(stage.c_str(), to.c_str()) != 0) return file_error(errno, "rename()", to);
  if (auto synced = sync_folder(folder_); !synced) return synced.error();
  return id;
}

/// A folder, or a link to one, that was served before there were builds.
Result<std::string> BuildStore::adopt(const std::string& path, const std::string& from,
                                      WallTime latest) {
  Build build;
  build.from = from + " (as it was before the first deploy)";
  // A link points where it pointed: relative to where it stood.
  const auto target = link_text(path);
  const std::string content = !target ? path
                              : target->starts_with('/')
                                  ? *target
                                  : root_.substr(0, root_.rfind('/') + 1) + *target;
  struct stat facts {};
  WallTime made = latest - std::chrono::seconds(1);
  if (::stat((content + "/index.html").c_str(), &facts) == 0)
    made = std::min(made, WallTime(std::chrono::seconds(facts.st_mtim.tv_sec)));
  auto entries = list_tree(content, kMostEntries);
  if (!entries) return entries.error();
  for (const auto& entry : *entries)
    if (S_ISREG(entry.facts.st_mode)) build.files.push_back(entry.path);
  const std::string id = new_id(content, build.files, made);
  const std::string folder = folder_ + "/" + id;
  if (auto created = make_folder(folder, 0755); !created) return created.error();
  if (auto written = write(folder, build); !written) return written.error();
  const std::string site = folder + "/site";
  if (target) {
    if (::symlink(content.c_str(), site.c_str()) != 0) return file_error(errno, "symlink()", site);
    ::unlink(path.c_str());
  } else if (::rename(path.c_str(), site.c_str()) != 0) {
    return file_error(errno, "rename()", site);
  }
  return id;
}

Result<std::size_t> BuildStore::show_files_of(const std::vector<Build>& others,
                                              const std::string& site,
                                              const std::vector<std::string>& own) const {
  std::set<std::string> wanted;
  std::size_t shown = 0;
  for (const Build& other : others) {
    for (const auto& file : other.files) {
      if (!http::has_content_hash(file) || std::ranges::binary_search(own, file)) continue;
      if (!wanted.insert(file).second) continue;
      const std::string from = site_of(other.id) + "/" + file, to = site + "/" + file;
      if (!exists(from)) continue;
      for (std::size_t slash = 0; (slash = file.find('/', slash)) != std::string::npos; ++slash)
        if (auto made = make_folder(site + "/" + file.substr(0, slash), 0755); !made)
          return made.error();
      if (auto linked = show_file(from, to); !linked) return linked.error();
      ++shown;
      for (const char* form : kForms) {
        if (!exists(from + form)) continue;
        if (auto linked = show_file(from + form, to + form); !linked) return linked.error();
      }
    }
  }
  // What belongs to nobody any more, in a build that becomes live again.
  const auto entries = list_tree(site, kMostEntries);
  if (!entries) return entries.error();
  const auto is_known = [&](const std::string& path) {
    return std::ranges::binary_search(own, path) || wanted.contains(path);
  };
  for (const auto& entry : *entries) {
    if (!S_ISREG(entry.facts.st_mode) || is_known(entry.path)) continue;
    const auto plain = entry.path.substr(0, entry.path.rfind('.'));
    if (is_form(entry.path) && is_known(plain)) continue;
    ::unlink((site + "/" + entry.path).c_str());
  }
  return shown;
}

Result<void> BuildStore::make_live(const std::string& id, WallTime now, std::string& said) {
  std::string before;
  const Live kind = live(&before);
  const std::string target = fmt::format("{}.builds/{}/site", last_part(root_), id);
  if (kind == Live::Folder) return exchange_folder(target, now, said);
  if (kind == Live::OtherLink) {
    const std::string old = link_text(root_).value_or("");
    const std::string kept = folder_ + std::string(kSwap);
    ::unlink(kept.c_str());
    if (::symlink(old.c_str(), kept.c_str()) != 0) return file_error(errno, "symlink()", kept);
    auto adopted = adopt(kept, root_ + " -> " + old, now);
    if (!adopted) return adopted.error();
    said = fmt::format("{} was a link to {}; it is kept as build {}", root_, old, *adopted);
  }
  if (auto pointed = point_link(root_, target, folder_ + std::string(kNext)); !pointed)
    return pointed;
  if (kind == Live::Build) tell_cache(before);
  return {};
}

/// The folder and the link change places in one step; then the folder goes among the builds.
Result<void> BuildStore::exchange_folder(const std::string& target, WallTime now,
                                         std::string& said) {
  const std::string swap = folder_ + std::string(kSwap);
  ::unlink(swap.c_str());
  if (::symlink(target.c_str(), swap.c_str()) != 0) return file_error(errno, "symlink()", swap);
  if (::renameat2(AT_FDCWD, swap.c_str(), AT_FDCWD, root_.c_str(), RENAME_EXCHANGE) != 0) {
    const int why = errno;
    ::unlink(swap.c_str());
    if (why == EBUSY)
      return make_error(ErrorKind::System, Origin::Internal,
                        root_ +
                            " is a mount point and cannot be exchanged: mount at a folder above "
                            "it, or name another root");
    if (why != EINVAL && why != EXDEV && why != ENOSYS) return file_error(why, "rename()", root_);
    // This file system cannot exchange (NFS, some overlays): for a moment there is no root.
    if (::rename(root_.c_str(), swap.c_str()) != 0) return file_error(errno, "rename()", root_);
    if (auto pointed = point_link(root_, target, folder_ + std::string(kNext)); !pointed) {
      ::rename(swap.c_str(), root_.c_str());
      return pointed;
    }
  }
  auto adopted = adopt(swap, root_, now);
  if (!adopted) return adopted.error();
  said = fmt::format("{} was a plain folder; it is a link now, and the folder is build {}", root_,
                     *adopted);
  return sync_folder(root_.substr(0, root_.rfind('/') + 1));
}

/// A running server keeps small files in memory, and looks once a second whether their path still
/// leads to the same folder. A change of attributes in that folder, even to what they were, it
/// hears of at once; hashed files mean the same in every build.
void BuildStore::tell_cache(const std::string& id) const {
  const auto build = read(id);
  if (!build) return;
  for (const auto& file : build->files) {
    if (http::has_content_hash(file)) continue;
    const std::string path = site_of(id) + "/" + file;
    struct stat facts {};
    for (const char* form : {"", kForms[0], kForms[1], kForms[2]})
      if (::stat((path + form).c_str(), &facts) == 0)
        ::chmod((path + form).c_str(), facts.st_mode & 07777);
  }
}

Result<std::size_t> BuildStore::prune(std::size_t keep) {
  const auto builds = list();
  std::size_t removed = 0;
  for (std::size_t i = 0; i + keep < builds.size(); ++i) {
    if (builds[i].live) continue;
    // Away in one step: what is half gone is no build.
    const std::string gone = folder_ + "/.gone";
    if (auto cleared = remove_tree(gone); !cleared) return cleared.error();
    if (::rename((folder_ + "/" + builds[i].id).c_str(), gone.c_str()) != 0)
      return file_error(errno, "rename()", folder_ + "/" + builds[i].id);
    if (auto cleared = remove_tree(gone); !cleared) return cleared.error();
    ++removed;
  }
  return removed;
}

}  // namespace gatescope::ops
