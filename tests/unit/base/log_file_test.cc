#include "proxy/base/log_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/base/temp_folder.h"

using namespace gatescope;

namespace {

std::unique_ptr<LogFile> opened(const std::string& path, LogFileSettings settings = {}) {
  auto file = LogFile::open(path, settings);
  REQUIRE(file.ok());
  return std::move(file).value();
}

/// The reading end of a pipe, as small as the system allows, whose writing end never blocks.
struct Pipe {
  UniqueFd reader, writer;
  Pipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
    reader = UniqueFd(ends[0]);
    writer = UniqueFd(ends[1]);
    REQUIRE(::fcntl(writer.get(), F_SETPIPE_SZ, 4096) >= 4096);
  }
  std::string drain() {
    std::string all(1 << 20, '\0');
    const ssize_t n = ::read(reader.get(), all.data(), all.size());
    all.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return all;
  }
};

}  // namespace

TEST_CASE("LogFile appends lines to what is there") {
  const TempFolder folder;
  opened(folder / "log")->append("one");
  opened(folder / "log")->append("two");
  CHECK(contents_of(folder / "log") == "one\ntwo\n");
}

TEST_CASE("LogFile says what could not be opened") {
  const auto file = LogFile::open("/nonexistent/log", {});
  REQUIRE_FALSE(file.ok());
  CHECK(file.error().kind == ErrorKind::NotFound);
  CHECK(file.error().detail == "open() \"/nonexistent/log\" failed (2: No such file or directory)");
}

TEST_CASE("LogFile with a buffer writes when it is full, flushed or closed") {
  const TempFolder folder;
  auto file = opened(folder / "log", {.buffer = 16});
  file->append("1234567");
  file->append("1234567");
  CHECK(contents_of(folder / "log").empty());
  file->append("x");
  CHECK(contents_of(folder / "log") == "1234567\n1234567\n");
  file->flush();
  CHECK(contents_of(folder / "log") == "1234567\n1234567\nx\n");
  file->append("y");
  file->append("a line longer than the whole buffer");
  CHECK(contents_of(folder / "log") ==
        "1234567\n1234567\nx\ny\na line longer than the whole buffer\n");
  file->append("z");
  file.reset();
  CHECK(contents_of(folder / "log").ends_with("buffer\nz\n"));
}

TEST_CASE("LogFile on a full disk counts what it loses and goes on") {
  auto file = opened("/dev/full");
  file->append("lost");
  file->append("lost too");
  CHECK(file->lost_lines() == 2);

  const TempFolder folder;
  file->replace(UniqueFd(::open((folder / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644)));
  file->append("space again");
  CHECK(contents_of(folder / "log") == "space again\n");
  CHECK(file->lost_lines() == 2);
}

TEST_CASE("LogFile counts each lost line of a buffer") {
  auto file = opened("/dev/full", {.buffer = 100});
  for (int i = 0; i < 5; ++i)
    file->append("line");
  CHECK(file->lost_lines() == 0);
  file->flush();
  CHECK(file->lost_lines() == 5);
}

TEST_CASE("LogFile neither blocks on a full pipe nor glues a line to half of another") {
  Pipe pipe;
  LogFile file(std::move(pipe.writer), "pipe", {.buffer = 8192});
  const std::string line(999, 'a');
  for (int i = 0; i < 5; ++i)
    file.append(line);
  file.flush();  // 5000 bytes into 4096: the fifth line is torn
  CHECK(file.lost_lines() == 1);
  std::string got = pipe.drain();
  CHECK(got.size() == 4096);
  file.append("next");
  file.flush();
  got += pipe.drain();
  CHECK(got.ends_with("a\nnext\n"));
  CHECK(file.lost_lines() == 1);
}

TEST_CASE("LogFile keeps a torn line apart even when the next write fails first") {
  Pipe pipe;
  LogFile file(std::move(pipe.writer), "pipe", {.buffer = 8192});
  for (int i = 0; i < 5; ++i)
    file.append(std::string(999, 'a'));
  file.flush();
  file.append("refused");
  file.flush();  // the pipe is still full
  CHECK(file.lost_lines() == 2);
  pipe.drain();
  file.append("next");
  file.flush();
  CHECK(pipe.drain() == "\nnext\n");
}

TEST_CASE("LogFile reopens by name after logrotate moved the file") {
  const TempFolder folder;
  auto file = opened(folder / "log", {.buffer = 100});
  file->append("old");
  std::filesystem::rename(folder / "log", folder / "log.1");
  REQUIRE(file->reopen().ok());
  file->append("new");
  file->flush();
  CHECK(contents_of(folder / "log.1") == "old\n");
  CHECK(contents_of(folder / "log") == "new\n");
}

TEST_CASE("LogFile goes on in the old file when reopening fails") {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "sub");
  auto file = opened(folder / "sub/log");
  std::filesystem::rename(folder / "sub", folder / "moved");
  CHECK_FALSE(file->reopen().ok());
  file->append("still here");
  CHECK(contents_of(folder / "moved/log") == "still here\n");
}

TEST_CASE("LogFile rotates by size and keeps as many as told") {
  const TempFolder folder;
  auto file = opened(folder / "log", {.rotate_at = 20, .keep = 2});
  for (const char* line :
       {"first 890", "first 890", "second 90", "second 90", "third 890", "third 890", "fourth"}) {
    file->append(line);
  }
  CHECK(contents_of(folder / "log") == "fourth\n");
  CHECK(contents_of(folder / "log.1") == "third 890\nthird 890\n");
  CHECK(contents_of(folder / "log.2") == "second 90\nsecond 90\n");
  CHECK_FALSE(std::filesystem::exists(folder / "log.3"));
}

TEST_CASE("LogFile counts what the file held before when it decides to rotate") {
  const TempFolder folder;
  opened(folder / "log")->append("eighteen bytes....");
  opened(folder / "log", {.rotate_at = 20})->append("new");
  CHECK(contents_of(folder / "log") == "new\n");
  CHECK(contents_of(folder / "log.1") == "eighteen bytes....\n");
}

TEST_CASE("LogFile that keeps no old file starts anew") {
  const TempFolder folder;
  auto file = opened(folder / "log", {.rotate_at = 4, .keep = 0});
  file->append("one");
  file->append("two");
  CHECK(contents_of(folder / "log") == "two\n");
  CHECK_FALSE(std::filesystem::exists(folder / "log.1"));
}

TEST_CASE("LogFile loses nothing when it may not rotate") {
  const TempFolder folder;
  std::filesystem::create_directories(folder / "log.1/in_the_way");
  auto file = opened(folder / "log", {.rotate_at = 4, .keep = 1});
  for (const char* line : {"one", "two", "three"})
    file->append(line);
  CHECK(contents_of(folder / "log") == "one\ntwo\nthree\n");
  CHECK(file->lost_lines() == 0);
}

TEST_CASE("rotate turns to a new file whatever the size, but never from an empty one") {
  const TempFolder folder;
  auto file = opened(folder / "log", {.buffer = 100});
  file->append("yesterday");
  file->rotate();
  file->rotate();
  file->append("today");
  file->flush();
  CHECK(contents_of(folder / "log.1") == "yesterday\n");
  CHECK(contents_of(folder / "log") == "today\n");
}

TEST_CASE("LogFile on stderr leaves descriptor 2 open") {
  {
    auto file = opened("stderr");
    CHECK(file->reopen().ok());
  }
  CHECK(::fcntl(STDERR_FILENO, F_GETFD) >= 0);
}

TEST_CASE("lines of several threads stay whole") {
  const TempFolder folder;
  auto file = opened(folder / "log", {.buffer = 64});
  std::vector<std::thread> threads;
  for (char c : {'a', 'b', 'c'}) {
    threads.emplace_back([&file, c] {
      for (int i = 0; i < 500; ++i)
        file->append(std::string(10, c));
    });
  }
  for (auto& thread : threads)
    thread.join();
  file->flush();
  const std::string all = contents_of(folder / "log");
  REQUIRE(all.size() == 3 * 500 * 11);
  for (std::size_t i = 0; i < all.size(); i += 11) {
    REQUIRE(all.substr(i, 11) == std::string(10, all[i]) + "\n");
  }
}
