// Range fields that ask for nothing, for everything often, or for numbers that do not fit.

#include "tests/support/catch.h"
#include "tests/unit/server/hostile_fixture.h"

using namespace gatescope::test;

TEST_CASE("hostile ranges", "[both]") {
  Site site("server { listen 80; root html; location / { } }");
  REQUIRE(site.load_error() == "");
  site.write("html/ten.txt", "0123456789");
  std::string many = "bytes=0-9", ones = "bytes=0-0";
  for (int i = 0; i < 400; ++i) {
    many += ",0-9";
    ones += ",0-0";
  }
  struct Row {
    std::string range, statuses, body;  // empty body: any, below a kilobyte
  };
  const Row rows[] = {
      {"bytes=0-0", "206", "0"},
      {"bytes=9-9", "206", "9"},
      {"bytes=-1", "206", "9"},
      {"bytes=5-", "206", "56789"},
      {"bytes=0-9", "206", "0123456789"},
      {"bytes=8-100", "206", "89"},
      {"bytes=-100", "206|200", "0123456789"},
      {"BYTES=0-0", "206|200", ""},
      {"bytes=10-", "416", ""},
      {"bytes=10-20", "416", ""},
      {"bytes=-0", "416", ""},
      {"bytes=5-4", "416|200", ""},
      {"bytes=", "416|200", ""},
      {"bytes=-", "416|200", ""},
      {"bytes=a-b", "416|200", ""},
      {"bytes=0", "416|200", ""},
      {"bytes=0-0-0", "416|200", ""},
      {"bytes=+0-1", "416|200", ""},
      {"bytes=0x0-1", "416|200", ""},
      {"bytes=--1", "416|200", ""},
      {"bytes 0-1", "200", "0123456789"},
      {"items=0-1", "200", "0123456789"},
      {"0-1", "200", "0123456789"},
      {"bytes=0-18446744073709551615", "206|200|416", ""},
      {"bytes=0-18446744073709551616", "206|200|416", ""},
      {"bytes=18446744073709551615-", "416|200", ""},
      {"bytes=18446744073709551616-", "416|200", ""},
      {"bytes=18446744073709551616-18446744073709551617", "416|200", ""},
      {"bytes=-18446744073709551616", "206|200|416", ""},
      {"bytes=9223372036854775807-9223372036854775808", "416|200", ""},
      {"bytes=-9223372036854775808", "206|200|416", ""},
      {"bytes=0-" + std::string(300, '9'), "206|200|416", ""},
      {many, "200|416", ""},
      {ones, "206|200|416", "(any)"},
      {"bytes=0-1,a", "416|200", ""},
      {"bytes=,", "416|200", ""},
      {"bytes=10-,-0", "416|200", ""},
  };
  for (const auto& row : rows)
    for (const bool bytewise : {false, true}) {
      INFO(row.range.substr(0, 60) << (bytewise ? ", byte by byte" : ""));
      const auto request = "GET /ten.txt HTTP/1.1\r\nHost: a\r\nRange: " + row.range +
                           "\r\nConnection: close\r\n\r\n";
      const auto answer = bytewise ? site.ask_bytewise(request) : site.ask(request);
      const auto status = statuses_of(answer);
      CHECK(("|" + row.statuses + "|").find("|" + status + "|") != std::string::npos);
      const auto body = body_of_answer(answer);
      if (!row.body.empty() && row.body != "(any)") CHECK(body == row.body);
      if (row.body != "(any)") CHECK(body.size() < 1000);
      CHECK(answer.size() < 100'000);  // never many times the file
    }
}
