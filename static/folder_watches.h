#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/net/folder_watcher.h"
#include "static/file_open.h"

namespace gatescope::files {

/// A folder under the path by which files in it are asked for. While it is alive, every change of a
/// file in it is told; whether the path still leads to this folder (a deploy that swaps a symbolic
/// link, or renames a folder above) is asked of the disk once per `valid`. Shared by the cache's
/// entries that rely on it; with the last of them the watch ends.
struct WatchedFolder {
  std::string path;  // without final slash
  FileFacts facts;
  int watch = 0;
  std::atomic<bool> alive{true};
  std::atomic<MonoTime::rep> checked{0};
};

/// Told in a turn of the loop that watches.
class PathEvents {
 public:
  virtual ~PathEvents() = default;
  virtual void on_path_changed(std::string_view path) = 0;
};

/// The folders that the file cache has files of. Thread-safe but for start() and the events; owned
/// by the cache. Bounded: past kMaxFolders nothing more is watched, and files of other folders are
/// asked of the disk by time.
class FolderWatches final : public net::FolderEvents {
 public:
  static constexpr std::size_t kMaxFolders = 4096;

  explicit FolderWatches(PathEvents& events) : events_(events) {}
  ~FolderWatches() override;
  /// Once, before files are asked for. Null: nothing is ever watched.
  void start(std::unique_ptr<net::FolderWatcher> watcher) { watcher_ = std::move(watcher); }

  /// The folder that `path` lies in, watched from now on; null: it cannot be.
  std::shared_ptr<WatchedFolder> folder_of(std::string_view path, MonoTime now);
  /// Whether what is known of the folder's files holds; may ask the disk.
  bool confirm(WatchedFolder& folder, MonoTime now) const;
  /// How many changes were told so far: who read a file meanwhile cannot be sure of it.
  std::uint64_t changes() const { return changes_.load(); }
  std::size_t watched() const;

  // FolderEvents
  void on_entry_changed(int watch, std::string_view name) override;
  void on_folder_gone(int watch) override;
  void on_events_lost() override;

 private:
  using Folders = std::vector<std::weak_ptr<WatchedFolder>>;
  std::vector<std::shared_ptr<WatchedFolder>> folders_of(int watch);
  void release(WatchedFolder* folder);

  PathEvents& events_;
  std::unique_ptr<net::FolderWatcher> watcher_;
  std::atomic<std::uint64_t> changes_{0};
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<WatchedFolder>> by_path_;
  std::unordered_map<int, Folders> by_watch_;  // several paths may lead to one folder
};

}  // namespace gatescope::files
