#include "proxy/base/time_words.h"

#include "tests/support/catch.h"

namespace gatescope {

TEST_CASE("times in words: the unit that people would take, rounded down from two of it") {
  using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;
  CHECK(in_words(Duration(0)) == "1 minute");
  CHECK(in_words(seconds(89)) == "1 minute");
  CHECK(in_words(minutes(119)) == "119 minutes");
  CHECK(in_words(minutes(120)) == "2 hours");
  CHECK(in_words(hours(47)) == "47 hours");
  CHECK(in_words(hours(48)) == "2 days");
  CHECK(in_words(hours(24 * 30) - seconds(10)) == "30 days");
  CHECK(in_words(WallTime(seconds(1'800'000'000))) == "2027-01-15 08:00:00 UTC");
}

}  // namespace gatescope
