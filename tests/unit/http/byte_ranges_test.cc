#include "proxy/http/byte_ranges.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace gatescope::http {
namespace {

constexpr auto kAny = ~std::uint64_t{0};
using Kind = RangeChoice::Kind;

/// "0+100 990+10", "416" or "200".
std::string show(const RangeChoice& choice) {
  if (choice.kind == Kind::Whole) return "200";
  if (choice.kind == Kind::Unsatisfiable) return "416";
  std::string text;
  for (const auto& part : choice.parts)
    text +=
        (text.empty() ? "" : " ") + std::to_string(part.first) + "+" + std::to_string(part.length);
  return text;
}

TEST_CASE("byte ranges of a body of 1000 bytes") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"bytes=0-99", "0+100"},
      {"bytes=0-0", "0+1"},
      {"bytes=999-", "999+1"},
      {"bytes=500-", "500+500"},
      {"bytes=0-", "0+1000"},
      {"bytes=900-5000", "900+100"},
      {"bytes=-1", "999+1"},
      {"bytes=-1000", "0+1000"},
      {"bytes=-5000", "0+1000"},
      {"BYTES=1-2", "1+2"},
      {"bytes= 1 - 2 ", "1+2"},
      {"bytes=1-2,", "1+2"},
      {"bytes=0-18446744073709551616", "0+1000"},
      {"bytes=1000-", "416"},
      {"bytes=1000-2000", "416"},
      {"bytes=18446744073709551616-", "416"},
      {"bytes=-0", "416"},
      {"bytes=", "416"},
      {"bytes=-", "416"},
      {"bytes=a-b", "416"},
      {"bytes=5", "416"},
      {"bytes=2-1", "416"},
      {"bytes=1-2-3", "416"},
      {"bytes=+1-2", "416"},
      {"bytes=1-2,x", "416"},
      {"bytes=10-11 12-", "416"},
      {"bytes=1-2,4-5", "1+2 4+2"},
      {"bytes=4-5,1-2", "4+2 1+2"},  // in the client's order
      {"bytes=0-9,-10,10-19", "0+10 990+10 10+10"},
      {"bytes=0-9,5-14", "0+10 5+10"},  // overlapping: as asked for
      {"bytes=1-2,2000-3000", "1+2"},
      {"bytes=0-499,500-999", "0+500 500+500"},
      {"bytes=0-499,499-999", "200"},  // together larger than the body
      {"bytes=0-10001,0-0", "200"},
      {"lines=1-2", "200"},
      {"bytes 1-2", "200"},
      {"", "200"},
  };
  for (const auto& [value, expected] : cases) {
    INFO(value);
    CHECK(show(parse_range(value, 1000, kAny)) == expected);
  }
}

TEST_CASE("an empty body is sent whole, and limits count what can be had") {
  CHECK(show(parse_range("bytes=0-", 0, kAny)) == "200");
  CHECK(show(parse_range("bytes=-5", 0, kAny)) == "200");
  CHECK(show(parse_range("bytes=1-2,5000-", 1000, 1)) == "1+2");
  CHECK(show(parse_range("bytes=1-2,4-5", 1000, 1)) == "200");
  CHECK(show(parse_range("bytes=1-2,4-5", 1000, 2)) == "1+2 4+2");
}

TEST_CASE("the framing of several parts") {
  const auto framing = frame_parts({{0, 10}, {990, 10}}, 1000, "text/html", "00000000000000000007");
  CHECK(framing.content_type == "multipart/byteranges; boundary=00000000000000000007");
  CHECK(framing.preludes[0] ==
        "\r\n--00000000000000000007\r\nContent-Type: text/html\r\n"
        "Content-Range: bytes 0-9/1000\r\n\r\n");
  CHECK(framing.closing == "\r\n--00000000000000000007--\r\n");
  CHECK(framing.length ==
        framing.preludes[0].size() + framing.preludes[1].size() + framing.closing.size() + 20);
  CHECK(frame_parts({{0, 1}}, 2, "", "0").preludes[0] ==
        "\r\n--0\r\nContent-Range: bytes 0-0/2\r\n\r\n");
}

TEST_CASE("what a range depends on") {
  constexpr std::string_view kTag = "\"2ebc98a1-3e8\"";
  const Validators version{kTag, 784111777};
  const auto choose = [&](std::string_view method, std::string_view if_range,
                          std::uint64_t max_ranges = kAny) {
    Request request;
    request.head.method = method;
    request.head.headers.add("Range", "bytes=0-9");
    if (!if_range.empty()) request.head.headers.add("If-Range", if_range);
    return choose_range(request, version, 1000, max_ranges).kind;
  };
  CHECK(choose("GET", "") == Kind::Parts);
  CHECK(choose("HEAD", "") == Kind::Whole);
  CHECK(choose("GET", "", 0) == Kind::Whole);
  CHECK(choose("GET", kTag) == Kind::Parts);
  CHECK(choose("GET", "\"x\"") == Kind::Whole);
  CHECK(choose("GET", "W/\"2ebc98a1-3e8\"") == Kind::Whole);
  CHECK(choose("GET", "Sun, 06 Nov 1994 08:49:37 GMT") == Kind::Parts);
  CHECK(choose("GET", "Sun, 06 Nov 1994 08:49:38 GMT") == Kind::Whole);
  CHECK(choose("GET", "nonsense") == Kind::Whole);
}

}  // namespace
}  // namespace gatescope::http
