#include "static/folder_watches.h"

#include <algorithm>

namespace gatescope::files {
namespace {

bool same_folder(const FileFacts& a, const FileFacts& b) {
  return a.kind == FileFacts::Kind::Directory && b.kind == a.kind && a.device == b.device &&
         a.inode == b.inode;
}

MonoTime::rep ticks(MonoTime time) {
  return time.time_since_epoch().count();
}

}  // namespace

FolderWatches::~FolderWatches() = default;

std::shared_ptr<WatchedFolder> FolderWatches::folder_of(std::string_view path, MonoTime now) {
  const auto slash = path.rfind('/');
  if (!watcher_ || slash == std::string_view::npos || slash == 0) return nullptr;
  const std::string name(path.substr(0, slash));
  std::shared_ptr<WatchedFolder> earlier;  // may be the last to hold it: let go without the lock
  const std::lock_guard lock(mutex_);
  auto& known = by_path_[name];
  earlier = known.lock();
  if (earlier && earlier->alive) return earlier;
  const auto forget = [&] {
    if (known.expired()) by_path_.erase(name);
    return nullptr;
  };
  if (by_path_.size() > kMaxFolders) return forget();
  // Looked at before and after: between the two the name may have come to lead elsewhere.
  const auto before = look_at(name, {});
  if (before.error != 0) return forget();
  const auto watch = watcher_->add(name);
  if (!watch) return forget();
  const auto after = look_at(name, {});
  if (after.error != 0 || !same_folder(before.facts, after.facts)) {
    if (!by_watch_.contains(*watch)) watcher_->remove(*watch);
    return forget();
  }
  std::shared_ptr<WatchedFolder> folder(new WatchedFolder,
                                        [this](WatchedFolder* f) { release(f); });
  folder->path = name;
  folder->facts = after.facts;
  folder->watch = *watch;
  folder->checked = ticks(now);
  known = folder;
  by_watch_[*watch].push_back(folder);
  return folder;
}

/// The last entry that relied on it has gone.
void FolderWatches::release(WatchedFolder* folder) {
  const std::unique_ptr<WatchedFolder> owned(folder);
  const std::lock_guard lock(mutex_);
  if (const auto at = by_path_.find(owned->path); at != by_path_.end() && at->second.expired())
    by_path_.erase(at);
  const auto at = by_watch_.find(owned->watch);
  if (at == by_watch_.end()) return;
  std::erase_if(at->second, [](const auto& f) { return f.expired(); });
  if (!at->second.empty()) return;
  by_watch_.erase(at);
  watcher_->remove(owned->watch);
}

bool FolderWatches::confirm(WatchedFolder& folder, MonoTime now) const {
  if (!folder.alive) return false;
  const auto seen = look_at(folder.path, {});
  if (seen.error != 0 || !same_folder(seen.facts, folder.facts)) {
    folder.alive = false;
    return false;
  }
  folder.checked = ticks(now);
  return true;
}

std::size_t FolderWatches::watched() const {
  const std::lock_guard lock(mutex_);
  return by_watch_.size();
}

std::vector<std::shared_ptr<WatchedFolder>> FolderWatches::folders_of(int watch) {
  ++changes_;
  std::vector<std::shared_ptr<WatchedFolder>> folders;
  const std::lock_guard lock(mutex_);
  if (const auto at = by_watch_.find(watch); at != by_watch_.end())
    for (const auto& weak : at->second)
      if (auto folder = weak.lock()) folders.push_back(std::move(folder));
  return folders;
}

void FolderWatches::on_entry_changed(int watch, std::string_view name) {
  for (const auto& folder : folders_of(watch))
    events_.on_path_changed(std::string(folder->path).append("/").append(name));
}

void FolderWatches::on_folder_gone(int watch) {
  for (const auto& folder : folders_of(watch))
    folder->alive = false;
}

void FolderWatches::on_events_lost() {
  ++changes_;
  std::vector<std::shared_ptr<WatchedFolder>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [path, weak] : by_path_)
      if (auto folder = weak.lock()) all.push_back(std::move(folder));
  }
  for (const auto& folder : all)
    folder->alive = false;
}

}  // namespace gatescope::files
