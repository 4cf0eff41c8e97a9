#include "proxy/http/charset.h"

#include "tests/support/catch.h"

namespace gatescope::http {
namespace {

std::vector<std::shared_ptr<const CharsetMap>> maps() {
  auto koi = std::make_shared<CharsetMap>("koi8-r", "utf-8");
  REQUIRE(koi->add("C6", "D184"));    // ф
  REQUIRE(koi->add("80", "E29480"));  // ─
  auto swap = std::make_shared<CharsetMap>("B", "A");
  REQUIRE(swap->add("58", "59"));
  REQUIRE(swap->add("e0", "F1"));
  return {koi, swap};
}

/// In pieces of this size.
std::string recode(std::string_view from, std::string_view to, std::string_view text,
                   std::size_t piece) {
  const auto recoding = find_recoding(maps(), from, to);
  if (!recoding) return "none";
  const auto filter = make_recoder(recoding);
  ByteQueue out;
  for (std::size_t at = 0; at < text.size(); at += piece)
    REQUIRE(filter->pass(SharedBytes::copy_of(text.substr(at, piece)), out));
  REQUIRE(filter->finish(out));
  return out.to_string();
}

TEST_CASE("recoding, whole and byte by byte") {
  struct Case {
    std::string_view from, to, text, result;
  };
  const Case cases[] = {
      {"koi8-r", "utf-8", "a\xC6-\x80\xFF", "a\xD1\x84-\xE2\x94\x80?"},
      {"KOI8-R", "UTF-8", "\xC6", "\xD1\x84"},
      {"utf-8", "koi8-r", "a\xD1\x84-\xE2\x94\x80", "a\xC6-\x80"},
      {"utf-8", "koi8-r", "\xE2\x82\xAC!", "&#8364;!"},  // it has no such character
      {"utf-8", "koi8-r", "\xF0\x9F\x98\x80", "&#128512;"},
      {"utf-8", "koi8-r", "\xD1x\x84y\xFFz", "?x?y?z"},       // no UTF-8
      {"utf-8", "koi8-r", "\xD1\xD1\x84\xE2\x94", "?\xC6?"},  // broken off
      {"utf-8", "koi8-r", "\xE0\x80\x80", "?"},               // longer than it need be
      {"B", "A", "XYZ\xE0\xE1", "YYZ\xF1?"},
      {"A", "B", "XYZ\xF1\xE1", "XXZ\xE0?"},
      {"A", "utf-8", "x", "none"},
      {"koi8-r", "A", "x", "none"},
  };
  for (const auto& c : cases)
    for (const std::size_t piece : {100u, 1u, 2u}) {
      INFO(c.from << " to " << c.to << ": " << c.text << " by " << piece);
      CHECK(recode(c.from, c.to, c.text, piece) == c.result);
    }
}

TEST_CASE("what no map may hold") {
  CharsetMap map("koi8-r", "utf-8");
  CharsetMap bytes("B", "A");
  CHECK_FALSE(map.add("8080", "41"));
  CHECK_FALSE(map.add("8g", "41"));
  CHECK_FALSE(map.add("80", ""));
  CHECK_FALSE(map.add("80", "FF"));
  CHECK_FALSE(map.add("80", "4141"));
  CHECK_FALSE(bytes.add("80", "4141"));
}

TEST_CASE("the charset that a type names") {
  CHECK(charset_of("text/html").empty());
  CHECK(charset_of("text/html; charset=utf-8") == "utf-8");
  CHECK(charset_of("text/html;CHARSET=\"koi8-r\" ; x=y") == "koi8-r");
  CHECK(charset_of("text/html; x=y; charset=B") == "B");
}

}  // namespace
}  // namespace gatescope::http
