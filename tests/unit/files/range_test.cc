#include "static/range.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace gatescope::files {
namespace {

constexpr auto kAny = ~std::uint64_t{0};
using Kind = RangeChoice::Kind;

TEST_CASE("byte ranges of a file of 1000 bytes") {
  struct Case {
    std::string_view value;
    Kind kind;
    std::uint64_t first = 0, length = 0;
  };
  const std::vector<Case> cases = {
      {"bytes=0-99", Kind::Part, 0, 100},
      {"bytes=0-0", Kind::Part, 0, 1},
      {"bytes=999-", Kind::Part, 999, 1},
      {"bytes=500-", Kind::Part, 500, 500},
      {"bytes=0-", Kind::Part, 0, 1000},
      {"bytes=900-5000", Kind::Part, 900, 100},
      {"bytes=-1", Kind::Part, 999, 1},
      {"bytes=-1000", Kind::Part, 0, 1000},
      {"bytes=-5000", Kind::Part, 0, 1000},
      {"BYTES=1-2", Kind::Part, 1, 2},
      {"bytes= 1 - 2 ", Kind::Part, 1, 2},
      {"bytes=1-2,", Kind::Part, 1, 2},
      {"bytes=0-18446744073709551616", Kind::Part, 0, 1000},
      {"bytes=1000-", Kind::Unsatisfiable},
      {"bytes=1000-2000", Kind::Unsatisfiable},
      {"bytes=18446744073709551616-", Kind::Unsatisfiable},
      {"bytes=-0", Kind::Unsatisfiable},
      {"bytes=", Kind::Unsatisfiable},
      {"bytes=-", Kind::Unsatisfiable},
      {"bytes=a-b", Kind::Unsatisfiable},
      {"bytes=5", Kind::Unsatisfiable},
      {"bytes=2-1", Kind::Unsatisfiable},
      {"bytes=1-2-3", Kind::Unsatisfiable},
      {"bytes=+1-2", Kind::Unsatisfiable},
      {"bytes=1-2,x", Kind::Unsatisfiable},
      {"bytes=1-2,4-5", Kind::Whole},
      {"bytes=1-2,2000-3000", Kind::Part, 1, 2},
      {"lines=1-2", Kind::Whole},
      {"bytes 1-2", Kind::Whole},
      {"", Kind::Whole},
  };
  for (const auto& c : cases) {
    INFO(c.value);
    const auto choice = parse_range(c.value, 1000, kAny);
    CHECK(choice.kind == c.kind);
    CHECK(choice.first == c.first);
    CHECK(choice.length == c.length);
  }
}

TEST_CASE("an empty file is sent whole, and limits apply") {
  CHECK(parse_range("bytes=0-", 0, kAny).kind == Kind::Whole);
  CHECK(parse_range("bytes=-5", 0, kAny).kind == Kind::Whole);
  CHECK(parse_range("bytes=1-2,5000-", 1000, 1).kind == Kind::Whole);
  CHECK(parse_range("bytes=1-2", 1000, 1).kind == Kind::Part);
}

TEST_CASE("what a range depends on") {
  constexpr std::string_view kTag = "\"2ebc98a1-3e8\"";
  const Version version{kTag, 784111777};
  const auto choose = [&](std::string_view method, std::string_view if_range,
                          std::uint64_t max_ranges = kAny) {
    http::Request request;
    request.head.method = method;
    request.head.headers.add("Range", "bytes=0-9");
    if (!if_range.empty()) request.head.headers.add("If-Range", if_range);
    return choose_range(request, version, 1000, max_ranges).kind;
  };
  CHECK(choose("GET", "") == Kind::Part);
  CHECK(choose("HEAD", "") == Kind::Whole);
  CHECK(choose("GET", "", 0) == Kind::Whole);
  CHECK(choose("GET", kTag) == Kind::Part);
  CHECK(choose("GET", "\"x\"") == Kind::Whole);
  CHECK(choose("GET", "W/\"2ebc98a1-3e8\"") == Kind::Whole);
  CHECK(choose("GET", "Sun, 06 Nov 1994 08:49:37 GMT") == Kind::Part);
  CHECK(choose("GET", "Sun, 06 Nov 1994 08:49:38 GMT") == Kind::Whole);
  CHECK(choose("GET", "nonsense") == Kind::Whole);
}

TEST_CASE("Content-Range") {
  CHECK(content_range({Kind::Part, 10, 5}, 1000) == "bytes 10-14/1000");
  CHECK(content_range({Kind::Unsatisfiable, 0, 0}, 1000) == "bytes */1000");
}

}  // namespace
}  // namespace gatescope::files
