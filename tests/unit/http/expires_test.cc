#include "proxy/http/expires.h"

#include <cstdlib>
#include <ctime>

#include "proxy/base/text.h"
#include "tests/support/catch.h"

namespace gatescope::http {
namespace {

constexpr std::int64_t kNow = 1795514709;       // Tue, 24 Nov 2026 10:05:09 GMT
constexpr std::int64_t kModified = kNow - 100;  // of the file

/// "Expires | Cache-Control", "none" or "error".
std::string fields(std::string_view text, bool modified,
                   std::optional<std::int64_t> last_modified = kModified) {
  const auto rule = Expires::parse(text, modified);
  if (!rule) return "error";
  const auto said = expires_fields(*rule, kNow, last_modified);
  return said ? said->expires + " | " + said->cache_control : "none";
}

TEST_CASE("expires in all its forms") {
  struct Case {
    std::string_view text;
    bool modified;
    std::string_view expected;
  };
  const Case cases[] = {
      {"off", false, "none"},
      {"epoch", false, "Thu, 01 Jan 1970 00:00:01 GMT | no-cache"},
      {"max", false, "Thu, 31 Dec 2037 23:55:55 GMT | max-age=315360000"},
      {"0", false, "Tue, 24 Nov 2026 10:05:09 GMT | max-age=0"},
      {"2048", false, "Tue, 24 Nov 2026 10:39:17 GMT | max-age=2048"},
      {"+1h", false, "Tue, 24 Nov 2026 11:05:09 GMT | max-age=3600"},
      {"1d 1s", false, "Wed, 25 Nov 2026 10:05:10 GMT | max-age=86401"},
      {"-1", false, "Tue, 24 Nov 2026 10:05:08 GMT | no-cache"},
      {"-1h", false, "Tue, 24 Nov 2026 09:05:09 GMT | no-cache"},
      {"1h", true, "Tue, 24 Nov 2026 11:03:29 GMT | max-age=3500"},
      {"50", true, "Tue, 24 Nov 2026 10:04:19 GMT | no-cache"},  // over already
      {"epoch", true, "error"},
      {"max", true, "error"},
      {"@15h", true, "error"},
      {"@25h", false, "error"},
      {"@", false, "error"},
      {"soon", false, "error"},
      {"", false, "error"},
      {"1x", false, "error"},
      {"500ms", false, "error"},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    CHECK(fields(c.text, c.modified) == c.expected);
  }
  // What has no time of change counts from the request.
  CHECK(fields("1h", true, std::nullopt) == "Tue, 24 Nov 2026 11:05:09 GMT | max-age=3600");
}

TEST_CASE("a time of day is the next one of the local clock") {
  const char* set = std::getenv("TZ");
  const std::string before = set ? set : "";
  ::setenv("TZ", "MST7", 1);  // seven hours behind: 03:05:09 there
  ::tzset();
  CHECK(fields("@15h30m33s", false) == "Tue, 24 Nov 2026 22:30:33 GMT | max-age=44724");
  CHECK(fields("@3h", false) == "Wed, 25 Nov 2026 10:00:00 GMT | max-age=86091");
  set ? ::setenv("TZ", before.c_str(), 1) : ::unsetenv("TZ");
  ::tzset();
}

}  // namespace
}  // namespace gatescope::http
