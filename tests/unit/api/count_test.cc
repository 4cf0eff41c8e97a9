#include "api/count.h"

#include <string>

#include "tests/support/catch.h"

using gatescope::api::Count;

TEST_CASE("COUNT is read as Python's int() reads it, and means what its slice meant") {
  const struct {
    std::string text;
    std::size_t of_ten;
  } kCases[] = {
      {"0", 10},
      {"1", 1},
      {"10", 10},
      {"11", 10},
      {"+3", 3},
      {"007", 7},
      {"1_0", 10},
      {"0_3", 3},
      {"-1", 9},
      {"-10", 0},
      {"-11", 0},
      {"-0", 10},
      {" 3 ", 3},
      {"\t3\n", 3},
      {"\x1c"
       "3",
       3},
      {"00", 10},
      {"99999999999999999999999", 10},
      {"-99999999999999999999999", 0},
      {"9223372036854775807", 10},
      {"-9223372036854775808", 0},
  };
  for (const auto& c : kCases) {
    INFO(c.text);
    const auto count = Count::parse(c.text);
    REQUIRE(count);
    CHECK(count->of(10) == c.of_ten);
  }
  CHECK(Count::all().of(7) == 7);
  CHECK(Count::parse("3")->of(0) == 0);
}

TEST_CASE("anything else is no COUNT") {
  for (const char* text : {"", " ", "+", "-", "_1", "1_", "1__0", "+-1", "- 1", "1 0", "1.0", "1e3",
                           "0x10", "ten", "1_000_", "\xC2\xA0"}) {
    INFO(text);
    CHECK(!Count::parse(text));
  }
}
