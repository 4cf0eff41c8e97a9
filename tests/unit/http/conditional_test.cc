#include "proxy/http/conditional.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace gatescope::http {
namespace {

constexpr std::int64_t kChanged = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT
constexpr std::string_view kSame = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kEarlier = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view kLater = "Sun, 06 Nov 1994 08:49:38 GMT";
constexpr std::string_view kTag = "\"2ebc98a1-a\"";

struct ConditionalCase {
  std::string_view what;
  std::vector<HeaderField> fields;
  Precondition expected;
  IfModifiedSince rule = IfModifiedSince::Exact;
  std::string_view method = "GET";
};

constexpr auto Send = Precondition::Send;
constexpr auto NotModified = Precondition::NotModified;
constexpr auto Failed = Precondition::Failed;

TEST_CASE("the entity tag is nginx's: time and size in hexadecimal") {
  CHECK(make_etag(kChanged, 10) == kTag);
  CHECK(make_etag(0, 0) == "\"0-0\"");
}

TEST_CASE("conditions of a request (RFC 9110 13)") {
  const std::vector<ConditionalCase> cases = {
      {"none", {}, Send},
      {"the client's copy is good", {{"If-None-Match", kTag}}, NotModified},
      {"one of several tags", {{"If-None-Match", "\"a\", \"b,c\" ,\"2ebc98a1-a\""}}, NotModified},
      {"in a second field line",
       {{"If-None-Match", "\"a\""}, {"If-None-Match", kTag}},
       NotModified},
      {"a weak tag is enough", {{"If-None-Match", "W/\"2ebc98a1-a\""}}, NotModified},
      {"any", {{"If-None-Match", " * "}}, NotModified},
      {"another version", {{"If-None-Match", "\"2ebc98a1-b\""}}, Send},
      {"no list of tags", {{"If-None-Match", "2ebc98a1-a"}}, Send},
      {"an unfinished tag", {{"If-None-Match", "\"2ebc98a1-a"}}, Send},
      {"empty", {{"If-None-Match", ""}}, Send},
      {"HEAD too", {{"If-None-Match", kTag}}, NotModified, IfModifiedSince::Exact, "HEAD"},
      {"not for other methods", {{"If-None-Match", kTag}}, Failed, IfModifiedSince::Exact, "PUT"},

      {"the same time", {{"If-Modified-Since", kSame}}, NotModified},
      {"a later time is not the same", {{"If-Modified-Since", kLater}}, Send},
      {"an earlier time", {{"If-Modified-Since", kEarlier}}, Send},
      {"before: a later time",
       {{"If-Modified-Since", kLater}},
       NotModified,
       IfModifiedSince::Before},
      {"before: the same", {{"If-Modified-Since", kSame}}, NotModified, IfModifiedSince::Before},
      {"before: an earlier", {{"If-Modified-Since", kEarlier}}, Send, IfModifiedSince::Before},
      {"off", {{"If-Modified-Since", kSame}}, Send, IfModifiedSince::Off},
      {"off leaves tags alone", {{"If-None-Match", kTag}}, NotModified, IfModifiedSince::Off},
      {"no date", {{"If-Modified-Since", "yesterday"}}, Send},
      {"the obsolete form of a date",
       {{"If-Modified-Since", "Sun Nov  6 08:49:37 1994"}},
       NotModified},
      {"a tag silences the date", {{"If-Modified-Since", kSame}, {"If-None-Match", "\"x\""}}, Send},
      {"and the other way round",
       {{"If-Modified-Since", kEarlier}, {"If-None-Match", kTag}},
       NotModified},

      {"If-Match holds", {{"If-Match", kTag}}, Send},
      {"If-Match any", {{"If-Match", "*"}}, Send},
      {"If-Match fails", {{"If-Match", "\"x\""}}, Failed},
      {"If-Match compares strongly", {{"If-Match", "W/\"2ebc98a1-a\""}}, Failed},
      {"If-Unmodified-Since holds", {{"If-Unmodified-Since", kSame}}, Send},
      {"If-Unmodified-Since fails", {{"If-Unmodified-Since", kEarlier}}, Failed},
      {"no date, no condition", {{"If-Unmodified-Since", "x"}}, Send},
      {"If-Match silences it", {{"If-Unmodified-Since", kEarlier}, {"If-Match", kTag}}, Send},
      {"412 goes before 304", {{"If-Match", "\"x\""}, {"If-None-Match", kTag}}, Failed},
      {"304 after a condition that holds",
       {{"If-Match", kTag}, {"If-None-Match", kTag}},
       NotModified},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    Request request;
    request.head.method = c.method;
    for (const auto& field : c.fields)
      request.head.headers.add(field.name, field.value);
    CHECK(check_preconditions(request, {kTag, kChanged}, c.rule) == c.expected);
  }
}

}  // namespace
}  // namespace gatescope::http
