#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace gatescope::net {

class Loop;

/// What a FolderWatcher tells, in a turn of the loop that it belongs to.
class FolderEvents {
 public:
  virtual ~FolderEvents() = default;
  /// An entry of the folder was made, written, renamed, removed, or got other attributes.
  virtual void on_entry_changed(int watch, std::string_view name) = 0;
  /// The folder itself was removed or moved, or its file system left: nothing more is told of it.
  virtual void on_folder_gone(int watch) = 0;
  /// More happened than the kernel keeps: anything may have changed.
  virtual void on_events_lost() = 0;
};

/// Watches folders for changes of what lies in them, not deeper. Owned by its user; destroying it
/// ends all watches. The implementation is inotify; a simulated loop has none.
class FolderWatcher {
 public:
  virtual ~FolderWatcher() = default;
  /// From any thread. One folder reached by two paths has one number. An error: there is no such
  /// folder, the system's limit (fs.inotify.max_user_watches) is reached, or its file system does
  /// not tell of all changes (NFS, FUSE, /proc).
  virtual Result<int> add(const std::string& path) = 0;
  /// From any thread.
  virtual void remove(int watch) = 0;
};

/// An error when the system has no inotify, or no more instances of it.
Result<std::unique_ptr<FolderWatcher>> make_inotify_watcher(Loop& loop, FolderEvents& events);

}  // namespace gatescope::net
