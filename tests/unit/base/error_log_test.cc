#include "proxy/base/error_log.h"

#include <unistd.h>

#include <algorithm>

#include "proxy/base/text.h"
#include "tests/support/catch.h"
#include "tests/unit/base/temp_folder.h"

using namespace gatescope;

namespace {

class FixedClock final : public Clock {
 public:
  MonoTime now() const override { return {}; }
  WallTime wall() const override { return WallTime(std::chrono::seconds(1795471980)); }
};

std::string logged(LogLevel threshold, LogLevel level, std::string_view message) {
  const TempFolder folder;
  const FixedClock clock;
  auto file = LogFile::open(folder / "error.log", {});
  REQUIRE(file.ok());
  ErrorLog(**file, threshold, clock).write(level, message);
  return contents_of(folder / "error.log");
}

}  // namespace

TEST_CASE("ErrorLog writes nginx's line") {
  const std::string expected =
      fmt::format("{} [error] {}#{}: *1 something\n", log_time_error(FixedClock().wall()),
                  ::getpid(), ::gettid());
  CHECK(logged(LogLevel::Error, LogLevel::Error, "*1 something") == expected);
}

TEST_CASE("ErrorLog keeps quiet above its level") {
  CHECK(logged(LogLevel::Error, LogLevel::Warn, "x").empty());
  CHECK(logged(LogLevel::Warn, LogLevel::Warn, "x").find("[warn]") != std::string::npos);
  CHECK(logged(LogLevel::Debug, LogLevel::Emerg, "x").find("[emerg]") != std::string::npos);
}

TEST_CASE("ErrorLog escapes control characters, so that nobody forges a line") {
  const std::string line =
      logged(LogLevel::Info, LogLevel::Info, std::string_view("a\nb\x1b[31m\x7f\0c€", 14));
  CHECK(line.ends_with(": a\\x0Ab\\x1B[31m\\x7F\\x00c€\n"));
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
}

TEST_CASE("ErrorLog cuts a line that a pipe could tear") {
  const std::string line = logged(LogLevel::Info, LogLevel::Info, std::string(10'000, '\x01'));
  CHECK(line.size() <= 4096);
  CHECK(line.size() > 4000);
  CHECK(line.ends_with("\\x01...\n"));
}

TEST_CASE("print formats only what is logged") {
  const TempFolder folder;
  const FixedClock clock;
  auto file = LogFile::open(folder / "error.log", {});
  REQUIRE(file.ok());
  ErrorLog log(**file, LogLevel::Notice, clock);
  log.print(LogLevel::Notice, "{} and {}", 1, "two");
  log.print(LogLevel::Info, "{}", 3);
  CHECK(contents_of(folder / "error.log").ends_with(": 1 and two\n"));
}
