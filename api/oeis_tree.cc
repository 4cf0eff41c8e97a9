#include "api/oeis_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>

#include "api/oeisdata.h"
#include "api/parallel.h"
#include "proxy/base/text.h"

namespace gatescope::api {

namespace {

namespace fs = std::filesystem;

Error not_oeis(const std::string& path) {
  return make_error(ErrorKind::Invalid, Origin::Internal,
                    "\"" + path +
                        "\" is no clone of oeis/oeisdata (with seq/A000/A000040.seq and so on), "
                        "and neither names.gz nor stripped.gz, nor a folder of these");
}

bool is_folder_of_entries(std::string_view name) {
  return (name.size() == 4 || name.size() == 5) && name[0] == 'A' &&
         parse_unsigned(name.substr(1)).has_value();
}

/// "A000040.seq"; seven digits are not reached yet, and no id of ours.
std::optional<SequenceId> id_of_file(std::string_view name) {
  if (!name.ends_with(".seq") || name[0] != 'A') return std::nullopt;
  return SequenceId::parse(name.substr(0, name.size() - 4));
}

bool has_entries(const fs::path& folder) {
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    const std::string name = at->path().filename().string();
    if (is_folder_of_entries(name) || id_of_file(name)) return true;
  }
  return false;
}

struct Folder {
  std::vector<TreeFile> files;
  std::vector<std::string> folders, problems;  // folders: of entries, inside this one
  bool whole = true;
};

/// Everything of one folder, but not of those inside.
Folder look_through(const std::string& path, std::uint32_t number) {
  Folder found;
  const auto close = [](DIR* dir) { ::closedir(dir); };
  const std::unique_ptr<DIR, decltype(close)> dir(::opendir(path.c_str()), close);
  const auto give_up = [&](const char* what) {
    found.problems.push_back(system_error(errno, what + (" \"" + path) + "\"").detail);
    found.whole = false;
  };
  if (!dir) {
    if (errno != ENOTDIR) give_up("opendir()");
    return found;
  }
  for (;;) {
    errno = 0;
    const dirent* item = ::readdir(dir.get());
    if (item == nullptr) break;
    const std::string_view name = item->d_name;
    if (is_folder_of_entries(name)) found.folders.emplace_back(name);
    const auto id = id_of_file(name);
    if (!id) continue;
    struct stat info {};
    if (::fstatat(::dirfd(dir.get()), item->d_name, &info, 0) == 0) {
      found.files.push_back({.id = *id, .folder = number, .stamp = stamp_of(info)});
    } else if (errno != ENOENT) {  // else it vanished just now, or is a link to nothing
      found.problems.push_back(
          system_error(errno, "stat() \"" + path + "/" + item->d_name + "\"").detail);
      found.whole = false;
    }
  }
  if (errno != 0) give_up("readdir()");
  return found;
}

/// Ascending, without those that come twice.
void put_in_order(OeisTree& tree) {
  auto& files = tree.files;
  std::sort(files.begin(), files.end(), [](const TreeFile& a, const TreeFile& b) {
    return a.id != b.id ? a.id < b.id : a.folder < b.folder;
  });
  auto kept = files.begin();
  for (const auto& file : files) {
    if (kept != files.begin() && std::prev(kept)->id == file.id)
      tree.problems.push_back("\"" + tree.path_of(file) + "\" is left out: there is also \"" +
                              tree.path_of(*std::prev(kept)) + "\"");
    else
      *kept++ = file;
  }
  files.erase(kept, files.end());
}

}  // namespace

Result<OeisSources> find_oeis_sources(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return system_error(errno, "stat() \"" + path + "\"");
  OeisSources sources;
  if (!S_ISDIR(info.st_mode)) {
    if (!S_ISREG(info.st_mode) || path.ends_with(".seq")) return not_oeis(path);
    sources.lists.push_back(path);
    return sources;
  }
  const fs::path folder(path);
  if (has_entries(folder / "seq"))
    sources.tree = (folder / "seq").string();
  else if (has_entries(folder))
    sources.tree = path;
  std::error_code ignored;
  for (const char* name : {"names", "stripped"}) {
    for (const char* ending : {".gz", ""}) {
      const fs::path list = folder / (std::string(name) + ending);
      if (!fs::is_regular_file(list, ignored)) continue;
      sources.lists.push_back(list.string());
      break;
    }
  }
  if (sources.tree.empty() && sources.lists.empty()) return not_oeis(path);
  return sources;
}

Result<OeisTree> list_oeis_tree(const std::string& folder, unsigned threads,
                                const std::atomic<bool>& stop,
                                const std::function<void(std::size_t, std::size_t)>& tick) {
  OeisTree tree;
  std::error_code failed;
  tree.path = fs::canonical(folder, failed).string();
  if (failed) return system_error(failed.value(), "realpath() \"" + folder + "\"");
  tree.folders.push_back(folder);
  std::vector<Folder> found(1);
  found[0] = look_through(folder, 0);
  auto inner = std::move(found[0].folders);
  std::sort(inner.begin(), inner.end());
  for (const auto& name : inner)
    tree.folders.push_back(folder + "/" + name);
  found.resize(tree.folders.size());
  std::atomic<std::size_t> done{0};
  run_parallel(
      threads, inner.size(), stop,
      [&](std::size_t n) {
        found[n + 1] = look_through(tree.folders[n + 1], static_cast<std::uint32_t>(n + 1));
        ++done;
      },
      [&] { tick(done, inner.size()); });
  if (stop) return make_error(ErrorKind::Cancelled, Origin::Internal, "interrupted");
  for (auto& part : found) {
    tree.files.insert(tree.files.end(), part.files.begin(), part.files.end());
    tree.problems.insert(tree.problems.end(), part.problems.begin(), part.problems.end());
    tree.whole = tree.whole && part.whole;
  }
  put_in_order(tree);
  return tree;
}

}  // namespace gatescope::api
