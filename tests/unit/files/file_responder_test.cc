#include "static/file_responder.h"

#include "tests/support/catch.h"
#include "tests/unit/files/fake_world.h"

namespace gatescope::files {
namespace {

std::string pattern(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>('a' + i % 23);
  return text;
}

struct FileResponderFixture {
  Folder folder;
  FakeLoop loop;
  Stats stats;
  FileCache cache{loop.fake_clock, stats, {.file_bytes = 0}};
  FakeWriter writer{loop};
  FakeLane lane;
  std::string content;
  std::unique_ptr<FileResponder> responder;
  bool sendfile = false;

  void make(std::size_t size, std::uint64_t offset, std::uint64_t length, bool with_lane = false) {
    content = pattern(size);
    folder.write("/f", content);
    auto file = cache.open(folder.at("/f"), {}, {}, loop.clock().now()).file;
    REQUIRE(file);
    responder = std::make_unique<FileResponder>(writer, file, folder.at("/f"),
                                                std::vector<http::BytePart>{{offset, length}},
                                                with_lane ? &lane : nullptr, sendfile);
  }
  /// As often as something is left to happen.
  void run() {
    for (int i = 0; i < 1000 && !writer.ended && writer.failed.empty(); ++i) {
      if (lane.waiting())
        lane.run();
      else if (loop.timer && loop.timer->running())
        loop.timer->fire();
      else if (!loop.next_turn.empty())
        loop.run_next_turn();
      else
        responder->on_writable();
    }
  }
};

TEST_CASE("a large file leaves in shares") {
  FileResponderFixture f;
  f.make(1000000, 0, 1000000);
  f.responder->begin();
  CHECK(f.writer.body.size() == FileResponder::kShare);  // then others have their turn
  f.loop.run_next_turn();
  CHECK(f.writer.body.size() == 2 * FileResponder::kShare);
  f.run();
  CHECK(f.responder->done());
  CHECK(f.writer.body == f.content);
}

TEST_CASE("what the kernel sends itself is not read, and the rest is") {
  FileResponderFixture f;
  f.sendfile = true;
  SECTION("all") {
    f.writer.file_room = 1 << 30;
    f.make(1'000'000, 10, 900'000);
    f.responder->begin();
    CHECK(f.writer.body.size() == FileResponder::kDirectShare);  // then others have their turn
    f.run();
    CHECK(f.writer.pieces.empty());
  }
  SECTION("as long as the socket has room") {
    f.writer.file_room = 50'000;
    f.make(1'000'000, 10, 900'000);
    f.responder->begin();
    f.writer.file_room = 0;
    f.loop.run_next_turn();
    CHECK(f.writer.pieces == std::vector<std::size_t>{FileResponder::kPiece});
    f.writer.file_room = 50'000;
    f.run();
    CHECK(f.writer.file_pieces.size() > 10);
  }
  CHECK(f.responder->done());
  CHECK(f.writer.ended);
  CHECK(f.writer.body == f.content.substr(10, 900'000));
}

TEST_CASE("a file that is written anew while the kernel sends it is cut") {
  FileResponderFixture f;
  f.sendfile = true;
  f.writer.file_room = 1 << 30;
  f.make(600'000, 0, 600'000);
  f.responder->begin();
  f.folder.write("/f", std::string(600'000, 'y'));
  f.run();
  CHECK_FALSE(f.writer.ended);
  CHECK(f.writer.failed.find("written anew") != std::string::npos);
}

TEST_CASE("a part of it") {
  FileResponderFixture f;
  f.make(200000, 70000, 100001);
  f.responder->begin();
  f.run();
  CHECK(f.writer.body == f.content.substr(70000, 100001));
}

TEST_CASE("several parts of it, in any order") {
  FileResponderFixture f;
  f.make(400000, 0, 400000);
  const std::vector<http::BytePart> parts{{300000, 100000}, {0, 10}, {5, 70000}, {399999, 1}};
  f.responder = std::make_unique<FileResponder>(
      f.writer, f.cache.open(f.folder.at("/f"), {}, {}, f.loop.clock().now()).file, "/f", parts,
      nullptr);
  f.responder->begin();
  f.run();
  std::string expected;
  for (const auto& part : parts)
    expected += f.content.substr(part.first, part.length);
  CHECK(f.writer.ended);
  CHECK(f.writer.body == expected);
}

TEST_CASE("a slow client holds it back") {
  FileResponderFixture f;
  f.make(300000, 0, 300000);
  f.writer.flow = Flow::Wait;
  f.responder->begin();
  CHECK(f.writer.pieces.size() == 1);
  f.responder->on_writable();
  CHECK(f.writer.pieces.size() == 2);
  f.run();
  CHECK(f.writer.body == f.content);
}

TEST_CASE("what the disk must fetch goes over the lane") {
  FileResponderFixture f;
  f.make(300000, 0, 300000, true);
  const auto evict = [&] {
    const UniqueFd fd(::open(f.folder.at("/f").c_str(), O_RDONLY));
    ::fsync(fd.get());
    ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  };
  evict();
  f.responder->begin();
  if (f.lane.waiting() == 0) return;  // a file system that keeps everything in memory
  SECTION("done") {
    f.responder->on_writable();  // says nothing while a read is under way
    CHECK(f.writer.body.empty());
    f.run();
    CHECK(f.writer.body == f.content);
  }
  SECTION("abandoned") {
    f.responder.reset();
    f.lane.run();
    CHECK(f.writer.body.empty());
  }
}

TEST_CASE("a full lane is asked again") {
  FileResponderFixture f;
  f.make(300000, 0, 300000, true);
  const UniqueFd fd(::open(f.folder.at("/f").c_str(), O_RDONLY));
  ::fsync(fd.get());
  ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  f.lane.full = true;
  f.responder->begin();
  if (!f.writer.pieces.empty()) return;  // as above
  REQUIRE(f.loop.timer);
  CHECK(f.loop.timer->running());
  f.lane.full = false;
  f.run();
  CHECK(f.writer.body == f.content);
}

TEST_CASE("the file changes while it is sent") {
  FileResponderFixture f;
  f.make(600000, 0, 600000);
  f.folder.set_time("/f", 1000);
  auto file = f.cache.open(f.folder.at("/f"), {}, {}, f.loop.clock().now()).file;
  f.responder = std::make_unique<FileResponder>(f.writer, file, "/f",
                                                std::vector<http::BytePart>{{0, 600000}}, nullptr);
  f.responder->begin();
  SECTION("truncated: cut") {
    f.folder.write("/f", pattern(100000));
    f.run();
    CHECK_FALSE(f.writer.ended);
    CHECK(f.writer.failed ==
          "sending \"/f\" failed with 500000 bytes to go: the file became shorter");
    CHECK(f.writer.body == f.content.substr(0, f.writer.body.size()));
  }
  SECTION("written anew with the same size: cut") {
    f.folder.write("/f", std::string(600000, 'Z'));
    f.run();
    CHECK_FALSE(f.writer.ended);
    CHECK_FALSE(f.writer.failed.empty());
  }
  SECTION("grown: as announced") {
    std::ofstream(f.folder.at("/f"), std::ios::app) << "more";
    f.run();
    CHECK(f.writer.ended);
    CHECK(f.writer.body == f.content);
  }
  SECTION("replaced or deleted: the old file to its end") {
    f.folder.replace("/f", "new");
    std::filesystem::remove(f.folder.at("/f"));
    f.run();
    CHECK(f.writer.ended);
    CHECK(f.writer.body == f.content);
  }
}

}  // namespace
}  // namespace gatescope::files
