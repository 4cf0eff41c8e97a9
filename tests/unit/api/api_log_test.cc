#include "api/api_log.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/api/api_fixture.h"

namespace gatescope::api {
namespace {

struct Noon final : Clock {
  MonoTime now() const override { return MonoTime(std::chrono::seconds(1)); }
  WallTime wall() const override { return WallTime(std::chrono::hours(24 * 365)); }
};

struct ApiLogFixture {
  OpenFolder folder;
  Noon clock;
  ApiLog log{clock};
  std::unique_ptr<LogFile> open(const std::string& name) {
    return std::move(*LogFile::open(folder / name, {}));
  }
  std::vector<std::string> lines(const std::string& name) const {
    std::ifstream in(folder / name);
    std::vector<std::string> found;
    for (std::string line; std::getline(in, line);)
      found.push_back(line);
    return found;
  }
};

TEST_CASE("an event of api.log is a JSON object on a line of its own") {
  ApiLogFixture f;
  const auto file = f.open("api.log");
  f.log.write_to(file.get(), nullptr);
  f.log.event(LogLevel::Error, "request issue",
              {{"url", "https://oeis.org/A1\n\"x\""}, {"bytes", "\x01\xFF\xC3\xA9"}},
              {"http error", "history"});
  const auto lines = f.lines("api.log");
  REQUIRE(lines.size() == 1);
  const auto json = nlohmann::json::parse(lines[0]);
  CHECK(json["event"] == "request issue");
  CHECK(json["level"] == "error");
  CHECK(json["url"] == "https://oeis.org/A1\n\"x\"");
  CHECK(json["bytes"] == "\x01\xEF\xBF\xBD\xC3\xA9");
  CHECK(json["tags"] == nlohmann::json({"http error", "history"}));
  CHECK(json["timestamp"].get<std::string>().starts_with("197"));
  CHECK(lines[0] == json.dump(-1, ' ', true));  // keys sorted, ASCII
}

TEST_CASE("what goes where") {
  ApiLogFixture f;
  const auto file = f.open("api.log"), other = f.open("other.log"), console = f.open("console");
  f.log.event(LogLevel::Error, "nowhere");
  f.log.write_to(file.get(), nullptr);
  f.log.event(LogLevel::Info, "one");
  f.log.event(LogLevel::Debug, "for the console only");
  f.log.write_to(other.get(), nullptr);
  f.log.show_on(console.get());
  f.log.event(LogLevel::Notice, "two");
  f.log.event(LogLevel::Debug, "three");
  f.log.write_to(nullptr, nullptr);
  f.log.event(LogLevel::Notice, "four", {{"long", std::string(100'000, 'x')}});
  CHECK(f.lines("api.log").size() == 1);
  CHECK(f.lines("other.log").size() == 1);
  REQUIRE(f.lines("console").size() == 3);
  CHECK(f.lines("console")[2].size() < 10'000);
}

}  // namespace
}  // namespace gatescope::api
