#include "proxy/http/char_class.h"

#include <string>

#include "tests/support/catch.h"

using namespace gatescope::http;

TEST_CASE(
    "a value is one of value characters and a target of its own, wherever the other one stands") {
  CHECK(is_value(""));
  CHECK(is_value("a\tb\tc, and words behind a tab \xe2\x82\xac"));
  CHECK_FALSE(is_target(""));
  for (const std::size_t size : {1u, 7u, 8u, 9u, 24u, 31u}) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string text(size, '\xff');
        text[at] = static_cast<char>(c);
        const bool expected = (c >= 0x20 && c != 0x7f) || c == '\t';
        const bool in_target = c > 0x20 && c != 0x7f;
        if (is_value(text) == expected && is_value_char(static_cast<char>(c)) == expected &&
            is_target(text) == in_target)
          continue;
        FAIL("byte " << c << " at " << at << " of " << size);
      }
    }
  }
}
