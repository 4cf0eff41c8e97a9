#include "proxy/http/char_class.h"

#include <string>

#include "tests/support/catch.h"

using namespace gatescope::http;

TEST_CASE("a value is one of value characters, wherever the other one stands") {
  CHECK(is_value(""));
  CHECK(is_value("a\tb\tc, and words behind a tab \xe2\x82\xac"));
  for (const std::size_t size : {1u, 7u, 8u, 9u, 24u, 31u}) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string text(size, '\xff');
        text[at] = static_cast<char>(c);
        const bool expected = (c >= 0x20 && c != 0x7f) || c == '\t';
        if (is_value(text) == expected && is_value_char(static_cast<char>(c)) == expected) continue;
        FAIL("byte " << c << " at " << at << " of " << size);
      }
    }
  }
}
