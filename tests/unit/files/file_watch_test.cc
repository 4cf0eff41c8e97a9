// The file cache and inotify: a change is known in the turn in which it is told.

#include "static/file_cache.h"
#include "tests/unit/files/fake_world.h"
#include "tests/unit/net/net_fixture.h"

namespace gatescope::files {
namespace {

struct FileWatchFixture {
  Folder folder;
  FakeClock clock;
  Stats stats;
  net::LoopFixture loop;
  std::unique_ptr<FileCache> cache = std::make_unique<FileCache>(clock, stats);
  CacheUse use;

  FileWatchFixture() { cache->watch(*loop.loop); }
  std::string text(std::string_view name) {
    const auto found = cache->open(folder.at(name), use, {}, clock.now());
    if (!found.file) return "error " + std::to_string(found.error);
    return std::string(found.file->content.text());
  }
  /// At the same moment of time, as soon as the kernel has told.
  void shows(std::string_view name, const std::string& expected) {
    loop.until([&] { return text(name) == expected; });
    CHECK(text(name) == expected);
  }
  void link(const char* target, std::string_view name) const {
    std::filesystem::create_symlink(target, folder.at(name));
  }
};

TEST_CASE("a change in a watched folder shows before `valid` is over") {
  FileWatchFixture f;
  f.folder.write("/a", "one");
  CHECK(f.text("/a") == "one");
  CHECK(f.cache->watched_folders() == 1);
  SECTION("written in place") {
    f.folder.write("/a", "two");
    f.shows("/a", "two");
  }
  SECTION("same size and same time") {
    f.folder.set_time("/a", 1000);
    f.shows("/a", "one");
    f.folder.write("/a", "two");
    f.folder.set_time("/a", 1000);
    f.shows("/a", "two");
  }
  SECTION("replaced") {
    f.folder.replace("/a", "two");
    f.shows("/a", "two");
  }
  SECTION("deleted and made again") {
    std::filesystem::remove(f.folder.at("/a"));
    f.shows("/a", "error 2");
    f.folder.write("/a", "two");
    f.shows("/a", "two");
  }
}

TEST_CASE("a watched file is not asked for, however old it is") {
  FileWatchFixture f;
  f.folder.write("/a", "one");
  f.text("/a");
  const auto asked = f.stats.counter("file_cache_misses", "", "").value();
  f.clock.pass(Duration(3600'000));
  CHECK(f.text("/a") == "one");
  CHECK(f.stats.counter("file_cache_misses", "", "").value() == asked);
}

TEST_CASE("that a file is missing is known until it comes") {
  FileWatchFixture f;
  f.use.errors = true;
  CHECK(f.text("/a.gz") == "error 2");
  f.folder.write("/a.gz", "zipped");
  f.shows("/a.gz", "zipped");
}

TEST_CASE("a deploy that swaps a link shows within `valid`, one that renames the folder at once") {
  FileWatchFixture f;
  f.folder.make("/r1");
  f.folder.make("/r2");
  f.folder.write("/r1/a", "one");
  f.folder.write("/r2/a", "two");
  f.link("r1", "/current");
  SECTION("ln -sfn") {
    CHECK(f.text("/current/a") == "one");
    f.link("r2", "/new");
    std::filesystem::rename(f.folder.at("/new"), f.folder.at("/current"));
    CHECK(f.text("/current/a") == "one");
    f.clock.pass(f.use.valid);
    CHECK(f.text("/current/a") == "two");
    f.folder.write("/r2/a", "three");  // the new one is watched in its turn
    f.shows("/current/a", "three");
  }
  SECTION("mv") {
    CHECK(f.text("/r1/a") == "one");
    std::filesystem::rename(f.folder.at("/r1"), f.folder.at("/old"));
    std::filesystem::rename(f.folder.at("/r2"), f.folder.at("/r1"));
    f.shows("/r1/a", "two");
  }
  SECTION("a folder above is renamed") {
    f.folder.make("/x/r");
    f.folder.write("/x/r/a", "one");
    f.folder.make("/y/r");
    f.folder.write("/y/r/a", "two");
    CHECK(f.text("/x/r/a") == "one");
    std::filesystem::rename(f.folder.at("/x"), f.folder.at("/z"));
    std::filesystem::rename(f.folder.at("/y"), f.folder.at("/x"));
    f.clock.pass(f.use.valid);
    CHECK(f.text("/x/r/a") == "two");
  }
}

TEST_CASE("what changes under another name is asked for by time") {
  FileWatchFixture f;
  f.folder.make("/here");
  f.folder.make("/there");
  f.folder.write("/there/a", "one");
  SECTION("a symbolic link") {
    f.link("../there/a", "/here/a");
  }
  SECTION("a hard link") {
    std::filesystem::create_hard_link(f.folder.at("/there/a"), f.folder.at("/here/a"));
  }
  CHECK(f.text("/here/a") == "one");
  f.folder.write("/there/a", "other");
  f.clock.pass(f.use.valid);
  CHECK(f.text("/here/a") == "other");
}

TEST_CASE("with the last file of a folder its watch goes") {
  FileWatchFixture f;
  f.folder.write("/a", "one");
  f.text("/a");
  f.cache->forget(f.folder.at("/a"));
  CHECK(f.cache->watched_folders() == 0);
}

/// Tells what the test says.
struct FakeWatcher final : net::FolderWatcher {
  int* added;
  int limit;
  FakeWatcher(int* added, int limit) : added(added), limit(limit) {}
  Result<int> add(const std::string&) override {
    if (*added >= limit) return make_error(ErrorKind::Unavailable, Origin::Internal, "full");
    return ++*added;
  }
  void remove(int) override {}
};

struct FakeEvents final : PathEvents {
  std::vector<std::string> paths;
  void on_path_changed(std::string_view path) override { paths.emplace_back(path); }
};

TEST_CASE("the limit of watches, lost events, a folder by two paths") {
  Folder folder;
  folder.make("/a");
  folder.make("/b");
  FakeEvents events;
  FolderWatches watches(events);
  int added = 0;
  watches.start(std::make_unique<FakeWatcher>(&added, 2));
  const MonoTime now{};
  const auto a = watches.folder_of(folder.at("/a/x"), now);
  REQUIRE(a);
  CHECK(watches.folder_of(folder.at("/a/y"), now) == a);
  const auto b = watches.folder_of(folder.at("/b/x"), now);
  REQUIRE(b);
  CHECK_FALSE(watches.folder_of(folder.at("/x"), now));       // past the limit
  CHECK_FALSE(watches.folder_of(folder.at("/none/x"), now));  // not there
  watches.on_entry_changed(a->watch, "x");
  CHECK(events.paths == std::vector<std::string>{folder.at("/a/x")});
  CHECK(watches.changes() == 1);
  CHECK(watches.confirm(*a, now));
  watches.on_events_lost();
  CHECK_FALSE(watches.confirm(*a, now));
  CHECK_FALSE(watches.confirm(*b, now));
}

}  // namespace
}  // namespace gatescope::files
