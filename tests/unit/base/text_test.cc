#include "proxy/base/text.h"

#include <limits>

#include "tests/support/catch.h"

using namespace gatescope;
using namespace std::chrono_literals;

TEST_CASE("comparison ignores the case of ASCII letters only") {
  CHECK(equals_ignoring_case("Content-TYPE", "content-type"));
  CHECK_FALSE(equals_ignoring_case("a", "ab"));
  CHECK_FALSE(equals_ignoring_case("\xc4", "\xe4"));
  CHECK_FALSE(equals_ignoring_case("[", "{"));  // 32 apart, as letters are
  CHECK(starts_with_ignoring_case("Bearer x", "bearer "));
  CHECK_FALSE(starts_with_ignoring_case("Bea", "bearer"));
  CHECK(lower("AbÄ1") == "abÄ1");
}

TEST_CASE("comparison means the same for each byte at each place") {
  for (const std::size_t size : {1u, 3u, 4u, 6u, 7u, 8u, 9u, 16u, 21u}) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int x = 0; x < 256; ++x) {
        std::string a(size, 'q'), b(size, 'Q');
        a[at] = static_cast<char>(x);
        for (const int y : {x, x ^ 0x20, x ^ 0x80, x + 1}) {
          b[at] = static_cast<char>(y);
          if (equals_ignoring_case(a, b) == (to_lower(a[at]) == to_lower(b[at]))) continue;
          FAIL("byte " << x << " against " << y << " at " << at << " of " << size);
        }
      }
    }
  }
}

TEST_CASE("trim and split") {
  CHECK(trim(" \t a b \t") == "a b");
  CHECK(trim(" \t ").empty());
  CHECK(trim("").empty());
  using Parts = std::vector<std::string_view>;
  CHECK(split("a,,b,", ',') == Parts{"a", "", "b", ""});
  CHECK(split("", ',') == Parts{""});
}

TEST_CASE("parse_unsigned takes digits only and refuses overflow") {
  CHECK(parse_unsigned("0") == 0u);
  CHECK(parse_unsigned("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
  for (const char* bad : {"", "18446744073709551616", "-1", "+1", " 1", "1 ", "1a", "0x1"}) {
    INFO(bad);
    CHECK_FALSE(parse_unsigned(bad));
  }
  CHECK(parse_signed("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  CHECK_FALSE(parse_signed("9223372036854775808"));
  CHECK_FALSE(parse_signed("-"));
}

TEST_CASE("parse_size knows nginx's units") {
  CHECK(parse_size("0") == 0u);
  CHECK(parse_size("16k") == 16384u);
  CHECK(parse_size("1M") == 1048576u);
  CHECK(parse_size("2g") == 2147483648u);
  for (const char* bad :
       {"", "k", "1kb", "1 k", "-1", "9007199254740992g", "9223372036854775808"}) {
    INFO(bad);
    CHECK_FALSE(parse_size(bad));
  }
}

TEST_CASE("parse_duration knows nginx's units") {
  struct Case {
    const char* text;
    Duration expected;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"0", 0ms},
           {"10", 10s},
           {"500ms", 500ms},
           {"1h 30m", 90min},
           {"1h30m", 90min},
           {"1m30", 90s},
           {"1d", 24h},
           {"2w", 336h},
           {"1M", 720h},
           {"1y", 8760h},
           {"1y 1M 1w 1d 1h 1m 1s 1ms", 8760h + 720h + 168h + 24h + 1h + 1min + 1s + 1ms}}) {
    INFO(c.text);
    CHECK(parse_duration(c.text) == c.expected);
  }
  for (const char* bad : {"", "s", "-1", "1x", "1m 1h", "1s 1s", "1s5", "1 1m", " 1", "1 s", "1Y",
                          "99999999999999999y", "99999999999999999999"}) {
    INFO(bad);
    CHECK_FALSE(parse_duration(bad));
  }
}

TEST_CASE("percent_decode refuses bad escapes and leaves plus alone") {
  CHECK(percent_decode("a%20b%2Fc+%e2%82%ac") == "a b/c+€");
  CHECK(percent_decode("%00") == std::string(1, '\0'));
  for (const char* bad : {"%", "%4", "a%g0", "%0g", "%%41"}) {
    INFO(bad);
    CHECK_FALSE(percent_decode(bad));
  }
}

TEST_CASE("percent_encode_path leaves a path's own characters") {
  CHECK(percent_encode_path("/a-b_c.~/!$&'()*+,;=:@/%?#\"< >\x7f\r\n€") ==
        "/a-b_c.~/!$&'()*+,;=:@/%25%3F%23%22%3C%20%3E%7F%0D%0A%E2%82%AC");
  CHECK(percent_decode(percent_encode_path("/x y%z")) == "/x y%z");
}

TEST_CASE("html_escape and to_hex") {
  CHECK(html_escape("<a href=\"x\">&</a>") == "&lt;a href=&quot;x&quot;&gt;&amp;&lt;/a&gt;");
  CHECK(to_hex(std::string_view("\x00\xff\x1a", 3)) == "00ff1a");
}

TEST_CASE("is_valid_utf8 follows RFC 3629") {
  for (const char* good : {"", "abc", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    INFO(to_hex(good));
    CHECK(is_valid_utf8(good));
  }
  for (const char* bad : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf",
                          "\xed\xa0\x80", "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                          "\xf5\x80\x80\x80", "\xff", "a\xe2\x82\x41"}) {
    INFO(to_hex(bad));
    CHECK_FALSE(is_valid_utf8(bad));
  }
}

TEST_CASE("nearest_word finds typing errors and nothing else") {
  const std::vector<std::string_view> known{"keepalive_timeout", "keepalive_requests", "listen",
                                            "root", "return"};
  CHECK(nearest_word("keepalve_timeout", known) == "keepalive_timeout");
  CHECK(nearest_word("lsiten", known) == "listen");
  CHECK(nearest_word("Listen", known) == "listen");
  CHECK(nearest_word("rooot", known) == "root");
  CHECK_FALSE(nearest_word("fastcgi_pass", known));
  CHECK_FALSE(nearest_word("boat", known));
  CHECK_FALSE(nearest_word("x", {}));
}
