#include "static/file_cache.h"

#include <cerrno>

#include "proxy/http/conditional.h"
#include "tests/support/catch.h"
#include "tests/unit/files/fake_world.h"

namespace gatescope::files {
namespace {

struct FileCacheFixture {
  Folder folder;
  FakeClock clock;
  Stats stats;
  FileCache cache{clock, stats, {.bytes = 20000, .file_bytes = 4096, .shards = 1}};
  CacheUse use;

  Found open(std::string_view name, OpenOptions options = {}) {
    return cache.open(folder.at(name), use, options, clock.now());
  }
  std::string text(std::string_view name) {
    const auto found = open(name);
    if (!found.file) return "error " + std::to_string(found.error);
    return std::string(found.file->content.text());
  }
  std::int64_t count(std::string_view name) { return stats.counter(name, "", "").value(); }
};

TEST_CASE("a file is read once, then trusted for a moment") {
  FileCacheFixture f;
  f.folder.write("/a", "one");
  const auto first = f.open("/a");
  REQUIRE(first.file);
  CHECK(first.file->in_memory);
  CHECK(first.file->etag == http::make_etag(first.file->facts.mtime, 3));
  CHECK(f.open("/a").file == first.file);
  CHECK(f.count("file_cache_hits") == 1);
  f.clock.pass(Duration(1500));
  CHECK(f.open("/a").file == first.file);  // asked the disk: unchanged
  CHECK(f.count("file_cache_misses") == 1);
}

TEST_CASE("a changed file shows within the valid time, whole in its old or new form") {
  FileCacheFixture f;
  f.folder.write("/a", "one");
  CHECK(f.text("/a") == "one");
  SECTION("replaced") {
    f.folder.replace("/a", "other");
  }
  SECTION("written in place") {
    f.folder.write("/a", "other");
  }
  CHECK(f.text("/a") == "one");
  f.clock.pass(Duration(1000));
  CHECK(f.text("/a") == "other");
}

TEST_CASE("truncated, deleted, replaced by a folder") {
  FileCacheFixture f;
  f.folder.write("/a", "one");
  const auto held = f.open("/a").file;
  f.clock.pass(Duration(1000));
  SECTION("truncated") {
    f.folder.write("/a", "");
    CHECK(f.text("/a").empty());
  }
  SECTION("deleted") {
    std::filesystem::remove(f.folder.at("/a"));
    CHECK(f.text("/a") == "error 2");
    CHECK(f.cache.entries() == 0);
  }
  SECTION("a folder now") {
    std::filesystem::remove(f.folder.at("/a"));
    f.folder.make("/a");
    CHECK(f.open("/a").is_directory());
  }
  CHECK(held->content.text() == "one");
}

TEST_CASE("a file that was just written is read again: its times cannot show the next change") {
  FileCacheFixture f;
  f.folder.write("/a", "one");
  f.folder.set_time("/a", 1000);
  struct stat st;
  REQUIRE(::stat(f.folder.at("/a").c_str(), &st) == 0);
  f.clock.set_wall(WallTime(std::chrono::seconds(st.st_ctim.tv_sec + 1)));
  const auto first = f.open("/a").file;
  f.clock.pass(Duration(1000));
  CHECK(f.open("/a").file != first);
  f.clock.set_wall(WallTime(std::chrono::seconds(st.st_ctim.tv_sec + 10)));
  f.clock.pass(Duration(1000));
  const auto third = f.open("/a").file;
  f.clock.pass(Duration(1000));
  CHECK(f.open("/a").file == third);
}

TEST_CASE("large files are opened, not kept") {
  FileCacheFixture f;
  f.folder.write("/big", std::string(5000, 'x'));
  const auto found = f.open("/big");
  REQUIRE(found.file);
  CHECK_FALSE(found.file->in_memory);
  CHECK(found.file->fd);
  CHECK(found.file->facts.size == 5000);
  CHECK(f.cache.entries() == 0);
}

TEST_CASE("what is no regular file") {
  FileCacheFixture f;
  f.folder.make("/d");
  REQUIRE(::mkfifo(f.folder.at("/fifo").c_str(), 0600) == 0);
  CHECK(f.open("/d").is_directory());
  const auto fifo = f.open("/fifo");  // does not wait for a writer
  CHECK(fifo.error == 0);
  CHECK_FALSE(fifo.file);
  CHECK_FALSE(fifo.is_directory());
  CHECK(f.open("/nothing").error == ENOENT);
  CHECK(f.open(std::string_view("/d\0x", 4)).error == ENOENT);
  CHECK(f.open("/" + std::string(300, 'n')).error == ENAMETOOLONG);
}

TEST_CASE("the least recently used go first when space is short") {
  FileCacheFixture f;
  for (const auto* name : {"/0", "/1", "/2", "/3"}) {
    f.folder.write(name, std::string(4000, *(name + 1)));
    f.open(name);
  }
  CHECK(f.cache.entries() == 4);
  const auto zero = f.open("/0").file;
  f.folder.write("/4", std::string(4000, '4'));
  f.open("/4");
  CHECK(f.cache.entries() == 4);
  CHECK(f.cache.bytes() <= 20000);
  CHECK(f.open("/0").file == zero);
  const auto misses = f.count("file_cache_misses");
  f.open("/1");
  CHECK(f.count("file_cache_misses") == misses + 1);
}

TEST_CASE("open_file_cache and its family") {
  FileCacheFixture f;
  f.folder.write("/a", "one");
  SECTION("off") {
    f.use.enabled = false;
    CHECK(f.text("/a") == "one");
    f.folder.write("/a", "two");
    CHECK(f.text("/a") == "two");
    CHECK(f.cache.entries() == 0);
  }
  SECTION("max and inactive") {
    f.use.max = 1;
    f.folder.write("/b", "two");
    f.open("/a");
    f.open("/b");
    CHECK(f.cache.entries() == 1);
    f.use.max = 0;
    f.clock.pass(f.use.inactive + Duration(1));
    f.open("/a");
    CHECK(f.cache.entries() == 1);
  }
  SECTION("min_uses") {
    f.use.min_uses = 2;
    const auto first = f.open("/a").file;
    const auto second = f.open("/a").file;
    CHECK(first != second);
    CHECK(f.open("/a").file == second);
  }
  SECTION("errors") {
    CHECK(f.open("/late").error == ENOENT);
    f.folder.write("/late", "x");
    CHECK(f.text("/late") == "x");
    f.use.errors = true;
    CHECK(f.open("/later").error == ENOENT);
    f.folder.write("/later", "y");
    CHECK(f.open("/later").error == ENOENT);
    f.clock.pass(Duration(1000));
    CHECK(f.text("/later") == "y");
  }
  SECTION("forget") {
    f.open("/a");
    f.folder.write("/a", "two");
    f.cache.forget(f.folder.at("/a"));
    CHECK(f.text("/a") == "two");
  }
  SECTION("valid") {
    f.use.valid = Duration(10000);
    f.open("/a");
    f.folder.write("/a", "two");
    f.clock.pass(Duration(9000));
    CHECK(f.text("/a") == "one");
    f.clock.pass(Duration(1000));
    CHECK(f.text("/a") == "two");
  }
}

TEST_CASE("look does not read") {
  FileCacheFixture f;
  f.folder.write("/a", "one");
  const auto seen = f.cache.look(f.folder.at("/a"), f.use, {}, f.clock.now());
  CHECK(seen.error == 0);
  CHECK(seen.kind == FileFacts::Kind::Regular);
  CHECK_FALSE(seen.file);
  f.open("/a");
  CHECK(f.cache.look(f.folder.at("/a"), f.use, {}, f.clock.now()).file);
  CHECK(f.cache.look(f.folder.at("/b"), f.use, {}, f.clock.now()).error == ENOENT);
}

TEST_CASE("disable_symlinks") {
  FileCacheFixture f;
  f.folder.make("/real");
  f.folder.write("/real/a", "one");
  std::filesystem::create_symlink("a", f.folder.at("/real/link"));
  std::filesystem::create_directory_symlink("real", f.folder.at("/dir"));
  CHECK(f.text("/dir/link") == "one");
  for (const auto rule : {Symlinks::Refuse, Symlinks::RefuseForeign}) {
    // All links here are ours, and so are their targets.
    const int expected = rule == Symlinks::Refuse ? ELOOP : 0;
    const std::string root = f.folder.at(""), through = f.folder.at("/dir");
    CHECK(f.open("/real/a", {rule, root}).error == 0);
    CHECK(f.open("/real/a", {rule, {}}).error == 0);
    CHECK(f.open("/real/link", {rule, root}).error == expected);
    CHECK(f.open("/dir/a", {rule, root}).error == expected);
    CHECK(f.open("/dir/a", {rule, through}).error == 0);
    CHECK(f.open("/dir/link", {rule, through}).error == expected);
    CHECK(f.open("/real/none", {rule, root}).error == ENOENT);
    CHECK(f.open("/real", {rule, root}).is_directory());
    CHECK(f.cache.look(f.folder.at("/dir/a"), f.use, {rule, root}, f.clock.now()).error ==
          expected);
    CHECK(f.cache.look(f.folder.at("/real/link"), f.use, {rule, root}, f.clock.now()).error ==
          expected);
  }
  if (::geteuid() == 0) {
    REQUIRE(::lchown(f.folder.at("/real/link").c_str(), 12345, 12345) == 0);
    CHECK(f.open("/real/link", {Symlinks::RefuseForeign, {}}).error == ELOOP);
  }
}

}  // namespace
}  // namespace gatescope::files
