#include <cstdlib>
#include <ctime>

#include "proxy/base/text.h"
#include "tests/support/catch.h"

using namespace gatescope;

namespace {

/// Sets TZ for one test.
class TimeZone {
 public:
  explicit TimeZone(const char* name) : before_(std::getenv("TZ") ? std::getenv("TZ") : "") {
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  ~TimeZone() {
    before_.empty() ? ::unsetenv("TZ") : ::setenv("TZ", before_.c_str(), 1);
    ::tzset();
  }

 private:
  const std::string before_;
};

WallTime at(std::int64_t seconds) {
  return WallTime(std::chrono::seconds(seconds));
}

}  // namespace

TEST_CASE("http_date writes IMF-fixdate") {
  CHECK(http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(http_date(951782400) == "Tue, 29 Feb 2000 00:00:00 GMT");
  CHECK(http_date(-1) == "Wed, 31 Dec 1969 23:59:59 GMT");
  CHECK(http_date(253402300799) == "Fri, 31 Dec 9999 23:59:59 GMT");
  CHECK(http_date(253402300800).size() == 29);  // no form has a place for five digits
}

TEST_CASE("parse_http_date reads the three forms of RFC 9110") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == 784111777);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994") == 784111777);
  CHECK(parse_http_date("Wed Nov 16 08:49:37 1994") == 784975777);
  CHECK(parse_http_date("Friday, 06-Nov-26 00:00:00 GMT") == 1793923200);
}

TEST_CASE("parse_http_date gives back what http_date wrote") {
  for (std::int64_t t = 0; t < 4'000'000'000; t += 86'399 * 97)
    CHECK(parse_http_date(http_date(t)) == t);
}

TEST_CASE("HttpDate knows what it wrote, and nothing else") {
  for (std::int64_t t = -62'167'219'200; t < 253'402'300'800; t += 86'399LL * 9'973)
    CHECK(HttpDate::seconds_of(HttpDate(t).text()) == t);
  for (const char* other : {"Mon, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                            "Sun Nov  6 08:49:37 1994", "Fri, 30 Jun 1972 23:59:60 GMT",
                            "Wed, 31 Jun 1972 23:59:59 GMT", "Sun, 06 Nov 1994 08:49:3x GMT",
                            "Sun, 06 Nov 1994 08:49:37 gmt", ""}) {
    INFO(other);
    CHECK_FALSE(HttpDate::seconds_of(other));
  }
}

TEST_CASE("parse_http_date refuses what is no date") {
  for (const char* bad : {"", "0", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
                          "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 29 Feb 1900 08:49:37 GMT",
                          "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
                          "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
                          "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ",
                          "Sun, +6 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT"}) {
    INFO(bad);
    CHECK_FALSE(parse_http_date(bad));
  }
}

TEST_CASE("a second's text is made once, and anew for another second, also an earlier one") {
  static int made;
  made = 0;
  SecondText text([](WallTime time) {
    ++made;
    return date_field(time);
  });
  CHECK(text.at(at(10)) == http_date(10));
  CHECK(text.at(at(10) + std::chrono::milliseconds(999)) == http_date(10));
  CHECK(made == 1);
  CHECK(text.at(at(11)) == http_date(11));
  CHECK(text.at(at(9)) == http_date(9));
  CHECK(text.at(at(0)) == http_date(0));
  CHECK(made == 4);
}

TEST_CASE("log times are local, as nginx's") {
  const TimeZone zone("XXX+03:30");  // POSIX: west of Greenwich
  const WallTime time = at(1795471980) + std::chrono::milliseconds(999);
  CHECK(log_time_local(time) == "23/Nov/2026:18:43:00 -0330");
  CHECK(log_time_iso8601(time) == "2026-11-23T18:43:00-03:30");
  CHECK(log_time_error(time) == "2026/11/23 18:43:00");
}

TEST_CASE("log times in UTC") {
  const TimeZone zone("UTC");
  CHECK(log_time_local(at(1795471980)) == "23/Nov/2026:22:13:00 +0000");
  CHECK(log_time_iso8601(at(1795471980)) == "2026-11-23T22:13:00+00:00");
}
