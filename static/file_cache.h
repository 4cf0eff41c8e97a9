#pragma once

// Small files in memory, ready to be sent, for every loop.

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/base/bytes.h"
#include "proxy/base/clock.h"
#include "proxy/base/stats.h"
#include "static/file_open.h"
#include "static/file_variants.h"
#include "static/folder_watches.h"

namespace gatescope::files {

/// One version of a regular file: immutable, held by the cache and by every answer that still sends
/// it, on any loop (the reason for shared_ptr). `content` is a whole, consistent copy: a file that
/// is replaced, cut or deleted later does not change it.
struct FileVersion {
  FileFacts facts;
  std::string etag;
  bool in_memory = false;
  SharedBytes content;  // when in_memory; size facts.size
  UniqueFd fd;          // otherwise
  // Made from it as it is asked for, by any loop.
  mutable FileVariants variants;  // of a plain version in memory
  mutable PrebuiltHeads heads;
};

/// What a path leads to.
struct Found {
  std::shared_ptr<const FileVersion> file;        // null: no regular file
  FileFacts::Kind kind = FileFacts::Kind::Other;  // when error is 0
  int error = 0;                                  // errno
  std::string_view call = "open()";               // what failed
  bool is_directory() const { return error == 0 && kind == FileFacts::Kind::Directory; }
};

/// How one location uses the cache: open_file_cache and its family.
struct CacheUse {
  bool enabled = true;       // `open_file_cache off`: every request opens its file
  Duration valid{1000};      // open_file_cache_valid: asked again after; a deploy shows within it
  Duration inactive{60000};  // inactive=: dropped when unused for so long
  unsigned min_uses = 1;     // open_file_cache_min_uses: kept from this use on
  bool errors = false;       // open_file_cache_errors: "not found" is remembered too
  std::size_t max = 0;       // max=: entries; 0: only bytes count
};

struct CacheLimits {
  std::size_t bytes = 64u << 20;  // several times a built site
  std::size_t file_bytes =
      256u << 10;       // larger files are streamed: reading them is cheap beside sending
  unsigned shards = 8;  // locks; so that loops seldom wait for each other
};

/// Owned by FilesModule, survives reloads, thread-safe. Entries leave when they are found to be out
/// of date, or least recently used when space is needed. Where the folder is watched, a change is
/// known in the turn in which it is told and no file is asked for by time; a file with several
/// names, or behind a symbolic link, can change without its folder telling, and is.
class FileCache : private PathEvents {
 public:
  /// `wall` is the clock by which the file system stamps files, for any thread: a SystemClock.
  FileCache(const Clock& wall, Stats& stats, CacheLimits limits = {});

  /// A regular file ready to be sent, or why not. `now` is the asking loop's clock.
  Found open(std::string_view path, const CacheUse& use, const OpenOptions& options, MonoTime now);
  /// Only what lies there: `file` is set only if it was cached anyway.
  Found look(std::string_view path, const CacheUse& use, const OpenOptions& options, MonoTime now);
  /// Something happened to this path: ask the disk next time.
  void forget(std::string_view path);
  /// All of it; how many files that were. What is being sent goes on.
  std::size_t clear();
  /// From now on changes are told. Once, before files are asked for.
  void watch(net::Loop& loop);
  /// The entry of this version holds more than it did: a compressed form was made.
  void grew(std::string_view path, const std::shared_ptr<const FileVersion>& file);
  /// `file_cache_size`. Takes effect as files come.
  void limit_bytes(std::size_t bytes) { byte_limit_ = bytes; }
  std::size_t watched_folders() const { return watches_.watched(); }

  std::size_t bytes() const;
  std::size_t entries() const;

 private:
  struct Entry {
    std::string path;
    std::shared_ptr<const FileVersion> file;  // null: only uses are counted, or `error` is known
    int error = 0;
    MonoTime checked{}, used{};
    unsigned uses = 0;
    /// The file was old enough when it was read for a later change to show in its times. A file
    /// written twice within one tick of the file system's clock may look the same afterwards.
    bool settled = false;
    std::shared_ptr<WatchedFolder> folder;  // null: asked of the disk by time
    std::size_t charged = 0;                // bytes counted for it
    std::size_t cost() const;
  };
  using Entries = std::list<Entry>;
  struct Shard {
    std::mutex mutex;
    Entries recent;                                                   // most recently used first
    std::unordered_map<std::string_view, Entries::iterator> by_path;  // keys point into the entries
    std::size_t bytes = 0;
  };

  Shard& shard_of(std::string_view path);
  /// A usable entry's answer, after asking the disk when it is older than `valid`.
  bool find(std::string_view path, const CacheUse& use, MonoTime now, Found& found);
  Found load(const std::string& path, const OpenOptions& options, bool& settled) const;
  /// What was known before the disk was asked.
  struct Asked {
    std::shared_ptr<WatchedFolder> folder;
    std::uint64_t changes = 0;
  };
  Asked before_asking(std::string_view path, MonoTime now);
  void keep(const std::string& path, const CacheUse& use, MonoTime now, const Found& found,
            bool settled, Asked asked);
  void charge(Shard& shard, Entry& entry);
  void on_path_changed(std::string_view path) override { forget(path); }
  void drop(Shard& shard, Entries::iterator entry);
  void make_room(Shard& shard, const CacheUse& use, MonoTime now);

  const Clock& wall_;
  const CacheLimits limits_;
  std::atomic<std::size_t> byte_limit_;
  FolderWatches watches_{*this};  // outlives the entries, which hold folders of it
  std::vector<std::unique_ptr<Shard>> shards_;
  Counter& hits_;
  Counter& misses_;
  Counter& held_bytes_;
  Counter& held_entries_;
};

}  // namespace gatescope::files
