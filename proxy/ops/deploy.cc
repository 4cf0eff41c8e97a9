#include "proxy/ops/deploy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "proxy/base/text.h"
#include "proxy/ops/build_check.h"
#include "proxy/ops/file_steps.h"

namespace gatescope::ops {

namespace {

Error invalid(std::string text) {
  return make_error(ErrorKind::Invalid, Origin::Internal, std::move(text));
}

std::string real_path(const std::string& path) {
  char resolved[PATH_MAX];
  return ::realpath(path.c_str(), resolved) ? resolved : "";
}

bool is_below(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

std::string in_words(std::uint64_t bytes) {
  if (bytes < 10'000) return fmt::format("{} bytes", bytes);
  return bytes < 10'000'000 ? fmt::format("{} kB", (bytes + 500) / 1000)
                            : fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

/// The same bytes in both; `file` is at its beginning before and after.
bool same_content(int file, const struct stat& facts, const std::string& other) {
  const UniqueFd fd(::open(other.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat there {};
  if (!fd || ::fstat(fd.get(), &there) != 0 || !S_ISREG(there.st_mode) ||
      there.st_size != facts.st_size)
    return false;
  std::string a(64 * 1024, '\0'), b(a.size(), '\0');
  for (off_t at = 0; at < facts.st_size;) {
    const auto n = ::pread(file, a.data(), a.size(), at);
    if (n <= 0 || ::pread(fd.get(), b.data(), static_cast<std::size_t>(n), at) != n ||
        a.compare(0, static_cast<std::size_t>(n), b, 0, static_cast<std::size_t>(n)) != 0)
      return false;
    at += n;
  }
  return true;
}

class Deploying {
 public:
  Deploying(const DeployRequest& request, BuildStore& store, const Clock& clock,
            DeployEvents& events)
      : request_(request), store_(store), clock_(clock), events_(events) {}

  Result<void> run() {
    auto stage = store_.begin_stage();
    if (!stage) return stage.error();
    stage_ = *stage;
    auto done = build();
    // After a success there is nothing; else what was served is as it was.
    (void)remove_tree(stage_);
    return done;
  }

 private:
  Result<void> build() {
    auto source = find_source();
    if (!source) return source.error();
    if (auto copied = copy(*source); !copied) return copied;
    const auto checked = check_build(site(), request_.base);
    if (!checked.problems.empty()) {
      if (request_.check || !exists(site() + "/index.html")) return not_whole(checked, *source);
      for (const auto& problem : checked.problems)
        events_.on_said("not minded: " + problem);
    }
    if (nothing_new_) {
      events_.on_said(fmt::format("nothing to do: build {} is served and is the same", live_));
      return {};
    }
    events_.on_said(
        fmt::format("{} files, {}; {} as in the build that is served; index.html and "
                    "what it leads to: {} files, all there",
                    build_.files.size(), in_words(bytes_), same_, checked.named));
    auto packed = precompress(site(), build_.files, request_.threads, events_);
    if (!packed) return packed.error();
    if (packed->files > 0)
      events_.on_said(fmt::format("compressed {} files: {} as br {}, gzip {}, zstd {}",
                                  packed->files, in_words(packed->plain), in_words(packed->brotli),
                                  in_words(packed->gzip), in_words(packed->zstd)));
    return put_live();
  }

  std::string site() const { return stage_ + "/site"; }

  /// The folder whose content is the site.
  Result<std::string> find_source() {
    std::string folder = request_.source;
    struct stat facts {};
    if (::stat(folder.c_str(), &facts) != 0) return file_error(errno, "stat()", folder);
    if (S_ISREG(facts.st_mode)) {
      folder = stage_ + "/unpacked";
      if (auto made = make_folder(folder, 0755); !made) return made.error();
      if (auto unpacked = unpack(request_.source, folder, request_.limits); !unpacked)
        return unpacked.error();
    } else if (!S_ISDIR(facts.st_mode)) {
      return invalid(fmt::format("\"{}\" is neither a folder nor an archive", folder));
    }
    if (exists(folder + "/package.json") && exists(folder + "/src"))
      return invalid(
          fmt::format("{} is what the site is made from, not what the build wrote: run "
                      "\"npm run build\" there, and name its folder \"dist\"",
                      request_.source));
    if (exists(folder + "/index.html")) return folder;
    // `tar c dist`: the site is in the one folder that it holds.
    std::vector<std::string> inside;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(folder, failed))
      if (exists(entry.path().string() + "/index.html"))
        inside.push_back(entry.path().filename().string());
    if (inside.size() != 1)
      return invalid(fmt::format("there is no index.html in {}; is it what the build wrote?",
                                 request_.source));
    if (S_ISDIR(facts.st_mode))
      return invalid(fmt::format("there is no index.html in {0}, but in {0}/{1}: name that folder",
                                 request_.source, inside.front()));
    events_.on_said(fmt::format("the site is in the archive's folder {}", inside.front()));
    return folder + "/" + inside.front();
  }

  Result<void> copy(const std::string& source) {
    const std::string whole = real_path(source);
    if (whole.empty()) return file_error(errno, "realpath()", source);
    const auto entries = list_tree(whole, request_.limits.entries);
    if (!entries) return entries.error();
    const bool has_live = store_.live(&live_) == BuildStore::Live::Build;
    std::vector<Build> builds = store_.list();
    const auto served = std::ranges::find(builds, true, &Build::live);
    std::set<std::string> paths;
    for (const auto& entry : *entries)
      paths.insert(entry.path);
    for (const auto& entry : *entries) {
      if (S_ISDIR(entry.facts.st_mode)) {
        if (auto made = make_folder(site() + "/" + entry.path, 0755); !made) return made;
        continue;
      }
      if (auto copied = copy_one(whole, entry, has_live, paths); !copied) return copied;
    }
    build_.from = real_path(request_.source);
    nothing_new_ = has_live && served != builds.end() && same_ == build_.files.size() &&
                   served->files == build_.files;
    return {};
  }

  Result<void> copy_one(const std::string& source, const TreeEntry& entry, bool has_live,
                        const std::set<std::string>& paths) {
    std::string from = source + "/" + entry.path;
    struct stat facts = entry.facts;
    if (S_ISLNK(facts.st_mode)) {
      const std::string target = real_path(from);
      const std::string written = link_text(from).value_or("");
      if (target.empty())
        return invalid(
            fmt::format("{} is a symbolic link to \"{}\", which does not exist: remove "
                        "it from the build",
                        entry.path, written));
      if (!is_below(target, source))
        return invalid(
            fmt::format("{} is a symbolic link to \"{}\", out of the build: put the file "
                        "itself there",
                        entry.path, written));
      from = target;
      if (::stat(from.c_str(), &facts) != 0) return file_error(errno, "stat()", from);
      if (S_ISDIR(facts.st_mode))
        return invalid(
            fmt::format("{} is a symbolic link to a folder (\"{}\"): put the folder "
                        "itself there",
                        entry.path, written));
    }
    if (!S_ISREG(facts.st_mode))
      return invalid(
          fmt::format("{} is neither a file nor a folder; a site has nothing else", entry.path));
    bytes_ += static_cast<std::uint64_t>(facts.st_size);
    if (bytes_ > request_.limits.bytes)
      return invalid(fmt::format("{} goes beyond the {} bytes that a site may have", entry.path,
                                 request_.limits.bytes));
    // Non-blocking: what has become a pipe meanwhile must not hold us.
    const UniqueFd fd(::open(from.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd) return file_error(errno, "open()", from);
    build_.files.push_back(entry.path);
    const std::string to = site() + "/" + entry.path;
    if (has_live) {
      const std::string there = store_.site_of(live_) + "/" + entry.path;
      if (same_content(fd.get(), facts, there)) {
        ++same_;
        if (::link(there.c_str(), to.c_str()) == 0) {
          for (const char* form : kForms)
            if (!paths.contains(entry.path + form))
              (void)!::link((there + form).c_str(), (to + form).c_str());
          return {};
        }
      }
    }
    return copy_file(fd.get(), facts, to, 0644);
  }

  Error not_whole(const BuildCheck& checked, const std::string& source) const {
    std::string text = fmt::format("the build in {} is not whole:",
                                   source.starts_with(stage_) ? request_.source : source);
    for (const auto& problem : checked.problems)
      text += "\n  " + problem;
    text += "\nBuild it again; ";
    text += request_.base == "/" ? "a site that is built for another path than / needs --base"
                                 : "is --base what it was built with?";
    return invalid(text + "; --no-check deploys it as it is.");
  }

  Result<void> put_live() {
    std::ranges::sort(build_.files);
    // Tabs may have been opened with each build that is kept, with the one that is served now, and
    // with a folder that is about to become a build. Those that are about to be removed keep
    // nothing: so what is shown is bounded.
    auto others = store_.list();
    const std::size_t keep = std::max<std::size_t>(request_.keep, 1);
    for (std::size_t i = 0; others.size() > keep - 1 && i < others.size();)
      if (others[i].live) {
        ++i;
      } else {
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
      }
    if (auto before = store_.before_builds()) others.push_back(std::move(*before));
    // One time for both: a folder that becomes a build now is older than this one, however long
    // the disk took.
    const WallTime now = clock_.wall();
    auto id = store_.keep_stage(stage_, build_, now);
    if (!id) return id.error();
    const auto shown = store_.show_files_of(others, store_.site_of(*id), build_.files);
    if (!shown) return withdraw(*id, shown.error());
    if (auto synced = sync_file_system(store_.site_of(*id)); !synced)
      return withdraw(*id, synced.error());
    std::string said;
    auto made_live = store_.make_live(*id, now, said);
    if (!made_live) return withdraw(*id, made_live.error());
    if (!said.empty()) events_.on_said(said);
    if (*shown > 0)
      events_.on_said(
          fmt::format("{} files of earlier builds stay reachable for open tabs", *shown));
    const auto removed = store_.prune(keep);
    if (!removed) {
      events_.on_said(removed.error().detail);
    } else if (*removed > 0) {
      events_.on_said(fmt::format("{} old builds removed, {} kept", *removed, keep));
    }
    events_.on_said(fmt::format("{} serves build {}", store_.root(), *id));
    return {};
  }

  Result<void> withdraw(const std::string& id, const Error& why) {
    (void)remove_tree(store_.site_of(id).substr(0, store_.site_of(id).rfind('/')));
    return why;
  }

  const DeployRequest& request_;
  BuildStore& store_;
  const Clock& clock_;
  DeployEvents& events_;
  std::string stage_, live_;
  Build build_;
  std::uint64_t bytes_ = 0;
  std::size_t same_ = 0;
  bool nothing_new_ = false;
};

}  // namespace

Result<void> deploy(const DeployRequest& request, const Clock& clock, DeployEvents& events) {
  if (request.reader)
    if (auto reached = can_reach(request.root, *request.reader); !reached) return reached;
  const std::string source = real_path(request.source);
  const std::string served = real_path(request.root);
  if (source.empty()) return file_error(errno, "open()", request.source);
  const bool is_served = !served.empty() && (is_below(source, served) || is_below(served, source));
  if (is_served || is_below(source, request.root + ".builds"))
    return invalid(
        fmt::format("{} is what is served, or holds it: let the build write to another "
                    "folder (vite build --outDir), or name another root in the "
                    "configuration (say /var/lib/gatescope/site)",
                    source));
  auto store = BuildStore::open(request.root);
  if (!store) return store.error();
  return Deploying(request, *store, clock, events).run();
}

Result<void> roll_back(const std::string& root, const std::string& id, const Clock& clock,
                       DeployEvents& events) {
  const auto nothing = [&] {
    return invalid(fmt::format("nothing was ever deployed to {}", root));
  };
  if (!BuildStore::is_there(root)) return nothing();
  auto store = BuildStore::open(root);
  if (!store) return store.error();
  auto builds = store->list();
  if (builds.empty()) return nothing();
  const auto live = std::ranges::find(builds, true, &Build::live);
  auto wanted = builds.end();
  if (!id.empty()) {
    wanted = std::ranges::find(builds, id, &Build::id);
    if (wanted == builds.end())
      return invalid(
          fmt::format("there is no build {}; \"gatescope deploy --list\" shows those "
                      "that are",
                      id));
  } else if (live == builds.end()) {
    return invalid(fmt::format("{} serves no build; name the one that it should serve", root));
  } else if (live == builds.begin()) {
    return invalid(
        fmt::format("build {} is the oldest that is kept; \"gatescope deploy --list\" "
                    "shows them all",
                    live->id));
  } else {
    wanted = live - 1;
  }
  if (wanted->live) return invalid(fmt::format("build {} is what is served", wanted->id));
  const Build build = *wanted;
  std::erase_if(builds, [&](const Build& one) { return one.id == build.id; });
  // A link to a folder of somebody else's is served as it is: nothing is put in there.
  if (!link_text(store->site_of(build.id))) {
    auto shown = store->show_files_of(builds, store->site_of(build.id), build.files);
    if (!shown) return shown.error();
    if (auto synced = sync_file_system(store->site_of(build.id)); !synced) return synced;
  }
  std::string said;
  if (auto made_live = store->make_live(build.id, clock.wall(), said); !made_live) return made_live;
  if (!said.empty()) events.on_said(said);
  events.on_said(fmt::format("{} serves build {} (from {}) again", root, build.id, build.from));
  return {};
}

}  // namespace gatescope::ops
