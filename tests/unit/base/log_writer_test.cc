// Logs that a thread writes, and what they do by time.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "proxy/base/log_files.h"
#include "tests/support/catch.h"
#include "tests/unit/base/temp_folder.h"

using namespace gatescope;

namespace {

SharedLogSettings settings(LogFileSettings s) {
  return std::make_shared<const LogFileSettings>(std::move(s));
}

const MonoTime kStart{std::chrono::hours(1)};
WallTime day(int n) {
  return WallTime{std::chrono::hours(24 * 365 * 30 + 24 * n + 12)};
}

class Upper final : public LogEncoder {
 public:
  std::string encode(std::string_view lines) const override {
    return "<" + std::string(lines) + ">";
  }
};

/// Stands for the writer's thread: the test ticks.
struct CountingWaker final : LogWaker {
  int calls = 0;
  void wake() override { ++calls; }
};

/// Until it holds; a thread of the system is waited for, bounded.
template <class F>
bool soon(F holds) {
  for (int i = 0; i < 5000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace

TEST_CASE("flush= lets a buffered line wait so long and no longer") {
  const TempFolder folder;
  auto file = LogFile::open(folder / "log", {}).value();
  const auto s = settings({.buffer = 1000, .flush = Duration(100)});
  file->append("one", s, kStart);
  CHECK(file->tick(kStart + Duration(99), day(0)) == kStart + Duration(100));
  CHECK(contents_of(folder / "log").empty());
  file->tick(kStart + Duration(100), day(0));
  CHECK(contents_of(folder / "log") == "one\n");
}

TEST_CASE("a buffer without flush= is written within a second, an encoded one when it is full") {
  const TempFolder folder;
  auto plain = LogFile::open(folder / "plain", {}).value();
  plain->append("one", settings({.buffer = 1000}), kStart);
  plain->tick(kStart + Duration(1000), day(0));
  CHECK(contents_of(folder / "plain") == "one\n");

  auto encoded = LogFile::open(folder / "encoded", {}).value();
  const auto s = settings({.buffer = 10, .encoder = std::make_shared<Upper>()});
  encoded->append("one", s, kStart);
  encoded->tick(kStart + Duration(100000), day(0));
  CHECK(contents_of(folder / "encoded").empty());
  encoded->append("two", s, kStart);
  encoded->append("three", s, kStart);
  CHECK(contents_of(folder / "encoded") == "<one\ntwo\n>");
  encoded->append("longer than ten", s, kStart);
  encoded->flush();
  CHECK(contents_of(folder / "encoded") == "<one\ntwo\n><three\n><longer than ten\n>");
}

TEST_CASE("settings follow the log that writes, so a reload changes them") {
  const TempFolder folder;
  auto file = LogFile::open(folder / "log", {}).value();
  file->append("at once", settings({}), kStart);
  file->append("waits", settings({.buffer = 100}), kStart);
  CHECK(contents_of(folder / "log") == "at once\n");
  file->append("at once again", settings({}), kStart);
  CHECK(contents_of(folder / "log") == "at once\nwaits\nat once again\n");
}

TEST_CASE("rotate=daily turns to a new file with the day, if there was a line") {
  const TempFolder folder;
  auto file = LogFile::open(folder / "log", {}).value();
  const auto s = settings({.rotate_daily = true, .keep = 2});
  file->append("", s, kStart);
  file->tick(kStart, day(0));  // the file's own day is the system's: this settles it
  const auto before = contents_of(folder / "log");
  file->append("monday", s, kStart);
  file->tick(kStart, day(0));
  CHECK(contents_of(folder / "log") == before + "monday\n");
  file->tick(kStart, day(1));
  CHECK(contents_of(folder / "log").empty());
  CHECK(contents_of(folder / "log.1") == before + "monday\n");
  file->tick(kStart, day(2));  // nothing was written: nothing to turn
  CHECK(contents_of(folder / "log.1") == before + "monday\n");
}

TEST_CASE("copytruncate does not make a log rotate by a size that it has no more") {
  const TempFolder folder;
  auto file = LogFile::open(folder / "log", {.rotate_at = 30}).value();
  file->append("twenty bytes.......");
  REQUIRE(::truncate((folder / "log").c_str(), 0) == 0);
  file->append("after the truncation");
  CHECK(contents_of(folder / "log") == "after the truncation\n");
  CHECK_FALSE(std::filesystem::exists(folder / "log.1"));
}

TEST_CASE("a FIFO opens without a reader and keeps what fits until one comes") {
  const TempFolder folder;
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  auto file = LogFile::open(folder / "fifo", {}).value();
  file->append("early");
  CHECK(file->lost_lines() == 0);
  const UniqueFd reader(::open((folder / "fifo").c_str(), O_RDONLY | O_NONBLOCK));
  char text[16];
  CHECK(::read(reader.get(), text, sizeof text) == 6);
  const std::string line(1000, 'x');
  for (int i = 0; i < 1000; ++i)
    file->append(line);  // 64 KiB fit; nobody reads
  CHECK(file->lost_lines() > 900);
  CHECK(file->last_error() == EAGAIN);
}

TEST_CASE("a pipe that is full is tried again from where it stopped, and what waits is bounded") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);  // it would block: asked before each write
  const UniqueFd reader(ends[0]);
  LogFile file(UniqueFd(ends[1]), "pipe", {});
  CountingWaker waker;
  file.set_waker(&waker);
  const auto s = settings({.background = true});
  std::string expected;
  std::uint64_t number = 0;
  while (file.lost_lines() == 0) {
    const auto line = fmt::format("line {} {}", ++number, std::string(200, 'x'));
    file.append(line, s, kStart);
    if (file.lost_lines() == 0) expected += line + "\n";
  }
  CHECK(waker.calls == 1);  // it need not be woken twice
  CHECK(expected.size() <= LogFileSettings::kLeastWaiting);
  std::string got;
  for (int i = 0; i < 1000 && got.size() < expected.size(); ++i) {
    const auto next = file.tick(kStart, day(0));
    CHECK((next != MonoTime{} || got.size() + (1 << 16) >= expected.size()));
    std::string part(1 << 20, '\0');
    const ssize_t n = ::read(reader.get(), part.data(), part.size());
    got += part.substr(0, n > 0 ? static_cast<std::size_t>(n) : 0);
  }
  CHECK(got == expected);
  CHECK(file.lost_lines() == 1);
}

TEST_CASE("the writer's thread writes what was appended, and at the end everything is there") {
  const TempFolder folder;
  OwnLogOpener opener;
  LogFiles files(opener);
  files.start_writer();
  auto* log = files.get(folder / "log").value();
  auto* full = files.get("/dev/full").value();
  const auto s = settings({.background = true});
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    log->append(fmt::format("line {}", i), s, SystemClock().now());
    full->append("lost", s, SystemClock().now());
    expected += fmt::format("line {}\n", i);
    if (i == 1000) CHECK(soon([&] { return contents_of(folder / "log") == expected; }));
  }
  files.flush();
  CHECK(soon([&] { return contents_of(folder / "log") == expected; }));
  CHECK(soon([&] { return files.lost_lines() == 2000; }));
  const auto first = files.take_losses(kStart);
  REQUIRE(first.size() == 1);
  CHECK(first[0].find("2000 lines of the log \"/dev/full\" were lost") == 0);
  CHECK(first[0].find("No space left on device") != std::string::npos);
  full->append("lost", s, SystemClock().now());
  CHECK(soon([&] { return files.lost_lines() == 2001; }));
  CHECK(files.take_losses(kStart + Duration(59000)).empty());  // not more often than once a minute
  CHECK(files.take_losses(kStart + Duration(60000)).size() == 1);
}
