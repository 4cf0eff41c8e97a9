#include "static/file_cache.h"

#include <algorithm>
#include <cerrno>
#include <functional>

#include "proxy/http/conditional.h"
#include "proxy/net/loop.h"
#include "static/file_read.h"

namespace gatescope::files {
namespace {

/// An entry's own memory: nodes of list and map, the version, its tag. Rounded up.
constexpr std::size_t kEntryCost = 512;

/// Two seconds: the coarsest clock of the file systems in use (FAT; ext3 and old NFS have one).
constexpr std::chrono::seconds kFileTimeGrain{2};

/// The system would see a shorter path.
bool holds_nul(std::string_view path) {
  return path.find('\0') != std::string_view::npos;
}

Found missing(int error, std::string_view call) {
  Found found;
  found.error = error;
  found.call = call;
  return found;
}

}  // namespace

std::size_t FileCache::Entry::cost() const {
  return kEntryCost + path.size() + (file ? file->content.size() + file->variants.bytes() : 0);
}

FileCache::FileCache(const Clock& wall, Stats& stats, CacheLimits limits)
    : wall_(wall),
      limits_(limits),
      byte_limit_(limits.bytes),
      hits_(stats.counter("file_cache_hits", "lookups", "Files found in memory.")),
      misses_(stats.counter("file_cache_misses", "lookups", "Files that had to be opened.")),
      held_bytes_(stats.gauge("file_cache_memory", "bytes", "Memory of cached files.")),
      held_entries_(stats.gauge("file_cache_entries", "files", "Cached files.")) {
  for (unsigned i = 0; i < std::max(1u, limits.shards); ++i)
    shards_.push_back(std::make_unique<Shard>());
}

FileCache::Shard& FileCache::shard_of(std::string_view path) {
  return *shards_[std::hash<std::string_view>()(path) / 64 % shards_.size()];
}

Found FileCache::open(std::string_view path, const CacheUse& use, const OpenOptions& options,
                      MonoTime now) {
  // Whether links were crossed is not kept with an entry, so those who mind always ask the disk.
  const bool cacheable = use.enabled && options.symlinks == Symlinks::Follow;
  Found found;
  if (cacheable && find(path, use, now, found)) return found;
  if (holds_nul(path)) return missing(ENOENT, "open()");
  const std::string name(path);
  bool settled = false;
  // Watched before it is read: what changes from here on is told.
  auto asked = cacheable ? before_asking(name, now) : Asked();
  found = load(name, options, settled);
  if (cacheable) keep(name, use, now, found, settled, std::move(asked));
  return found;
}

Found FileCache::look(std::string_view path, const CacheUse& use, const OpenOptions& options,
                      MonoTime now) {
  Found found;
  if (use.enabled && options.symlinks == Symlinks::Follow && find(path, use, now, found))
    return found;
  if (holds_nul(path)) return missing(ENOENT, "stat()");
  const std::string name(path);
  const bool remember = use.enabled && use.errors;
  auto asked = remember ? before_asking(name, now) : Asked();
  const Opened seen = look_at(name, options);
  found = Found();
  found.error = seen.error;
  found.call = seen.call;
  found.kind = seen.facts.kind;
  if (remember && means_missing(seen.error)) keep(name, use, now, found, true, std::move(asked));
  return found;
}

FileCache::Asked FileCache::before_asking(std::string_view path, MonoTime now) {
  const auto changes = watches_.changes();
  return {watches_.folder_of(path, now), changes};
}

void FileCache::watch(net::Loop& loop) {
  watches_.start(loop.watch_folders(watches_));
}

bool FileCache::find(std::string_view path, const CacheUse& use, MonoTime now, Found& found) {
  Shard& shard = shard_of(path);
  bool settled = false;
  std::shared_ptr<WatchedFolder> folder;
  {
    const std::lock_guard lock(shard.mutex);
    const auto at = shard.by_path.find(path);
    if (at == shard.by_path.end()) return false;
    Entry& entry = *at->second;
    if (!entry.file && !(use.errors && entry.error != 0)) return false;
    folder = entry.folder;
    const auto known =
        folder ? MonoTime(MonoTime::duration(folder->checked.load())) : entry.checked;
    const bool fresh = now - known < use.valid && (!folder || folder->alive);
    found.file = entry.file;
    found.error = entry.error;
    if (fresh) {
      found.kind = FileFacts::Kind::Regular;
      entry.used = now;
      ++entry.uses;
      shard.recent.splice(shard.recent.begin(), shard.recent, at->second);
      hits_.add();
      return true;
    }
    if (!folder && (!entry.file || !entry.settled)) {
      drop(shard, at->second);
      return false;
    }
    settled = entry.settled;
  }
  // Outside the lock: the disk may be slow, and the version in hand stays alive.
  bool same = false;
  if (folder) {
    same = watches_.confirm(*folder, now);
  } else {
    const Opened seen = look_at(std::string(path), {});
    same = settled && seen.error == 0 && seen.facts == found.file->facts;
  }
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.by_path.find(path);
  const bool still_there = at != shard.by_path.end() && at->second->file == found.file;
  if (!same) {
    if (still_there) drop(shard, at->second);
    return false;
  }
  if (still_there) {
    at->second->checked = at->second->used = now;
    ++at->second->uses;
    shard.recent.splice(shard.recent.begin(), shard.recent, at->second);
  }
  found.kind = FileFacts::Kind::Regular;
  hits_.add();
  return true;
}

Found FileCache::load(const std::string& path, const OpenOptions& options, bool& settled) const {
  const WallTime before = wall_.wall();
  Opened opened = open_file(path, options);
  Found found;
  found.error = opened.error;
  found.call = opened.call;
  found.kind = opened.facts.kind;
  if (opened.error != 0 || opened.facts.kind != FileFacts::Kind::Regular) return found;
  auto version = std::make_shared<FileVersion>();
  version->facts = opened.facts;
  if (opened.facts.size <= limits_.file_bytes)
    version->in_memory = read_whole(opened.fd.get(), version->facts, version->content);
  version->etag = http::make_etag(version->facts.mtime, version->facts.size);
  const auto changed = WallTime(std::chrono::seconds(version->facts.ctime));
  settled = changed + kFileTimeGrain < before;
  if (!version->in_memory) version->fd = std::move(opened.fd);
  found.file = std::move(version);
  return found;
}

void FileCache::keep(const std::string& path, const CacheUse& use, MonoTime now, const Found& found,
                     bool settled, Asked asked) {
  misses_.add();
  const bool file = found.file && found.file->in_memory;
  const bool error = use.errors && means_missing(found.error);
  if (!file && !error) return forget(path);
  const bool told_of =
      !file || (found.file->facts.links == 1 && is_own_name(path, found.file->facts));
  Shard& shard = shard_of(path);
  const std::lock_guard lock(shard.mutex);
  unsigned uses = 1;
  if (const auto at = shard.by_path.find(path); at != shard.by_path.end()) {
    const bool lively = now - at->second->used < use.inactive;
    if (lively) uses += at->second->uses;
    drop(shard, at->second);
  }
  Entry entry;
  entry.path = path;
  entry.checked = entry.used = now;
  entry.uses = uses;
  entry.settled = settled;
  if (told_of && watches_.changes() == asked.changes) entry.folder = std::move(asked.folder);
  if (error) entry.error = found.error;
  if (file && uses >= use.min_uses) entry.file = found.file;
  shard.recent.push_front(std::move(entry));
  const auto added = shard.recent.begin();
  shard.by_path.emplace(added->path, added);
  charge(shard, *added);
  held_entries_.add();
  make_room(shard, use, now);
}

/// Counts what the entry holds by now.
void FileCache::charge(Shard& shard, Entry& entry) {
  const std::size_t cost = entry.cost();
  held_bytes_.add(static_cast<std::int64_t>(cost) - static_cast<std::int64_t>(entry.charged));
  shard.bytes += cost - entry.charged;
  entry.charged = cost;
}

void FileCache::grew(std::string_view path, const std::shared_ptr<const FileVersion>& file) {
  Shard& shard = shard_of(path);
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.by_path.find(path);
  if (at == shard.by_path.end() || at->second->file != file) return;
  charge(shard, *at->second);
  make_room(shard, CacheUse{.inactive = std::chrono::hours(24 * 365)}, at->second->used);
}

void FileCache::make_room(Shard& shard, const CacheUse& use, MonoTime now) {
  const auto share = [&](std::size_t all) { return (all + shards_.size() - 1) / shards_.size(); };
  while (!shard.recent.empty()) {
    const Entry& oldest = shard.recent.back();
    const bool too_many = use.max != 0 && shard.recent.size() > share(use.max);
    const bool unused = now - oldest.used > use.inactive;
    if (shard.bytes <= share(byte_limit_) && !too_many && !unused) return;
    drop(shard, std::prev(shard.recent.end()));
  }
}

void FileCache::drop(Shard& shard, Entries::iterator entry) {
  shard.bytes -= entry->charged;
  held_bytes_.sub(static_cast<std::int64_t>(entry->charged));
  held_entries_.sub();
  shard.by_path.erase(entry->path);
  shard.recent.erase(entry);
}

void FileCache::forget(std::string_view path) {
  Shard& shard = shard_of(path);
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.by_path.find(path);
  if (at != shard.by_path.end()) drop(shard, at->second);
}

std::size_t FileCache::clear() {
  std::size_t files = 0;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    while (!shard->recent.empty()) {
      files += shard->recent.front().file != nullptr;
      drop(*shard, shard->recent.begin());
    }
  }
  return files;
}

std::size_t FileCache::bytes() const {
  return static_cast<std::size_t>(held_bytes_.value());
}

std::size_t FileCache::entries() const {
  return static_cast<std::size_t>(held_entries_.value());
}

}  // namespace gatescope::files
