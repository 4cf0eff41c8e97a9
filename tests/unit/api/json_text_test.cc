#include "api/json_text.h"

#include "tests/support/catch.h"

namespace {

std::string json(std::string_view text) {
  std::string out;
  gatescope::api::append_json_string(out, text);
  return out;
}

}  // namespace

TEST_CASE("text is escaped as Python's json.dumps escapes it") {
  CHECK(json("plain ~ text/") == R"("plain ~ text/")");
  CHECK(json("\"\\\b\f\n\r\t") == R"("\"\\\b\f\n\r\t")");
  CHECK(json(std::string("\0\x01\x1f\x7f", 4)) == R"("\u0000\u0001\u001f\u007f")");
  CHECK(json("Erd\xC5\x91s") == R"("Erd\u0151s")");
  CHECK(json("\xE2\x88\x9E\xEF\xBF\xBF") == R"("\u221e\uffff")");
  CHECK(json("\xF0\x9D\x94\xB8 \xF4\x8F\xBF\xBF") == R"("\ud835\udd38 \udbff\udfff")");
  // Not UTF-8: stray, cut, overlong, a surrogate, above U+10FFFF
  CHECK(json("a\xFFz\xE2\x88") == R"("a\ufffdz\ufffd\ufffd")");
  CHECK(json("\xC0\xAF") == R"("\ufffd\ufffd")");
  CHECK(json("\xED\xA0\x80") == R"("\ufffd\ufffd\ufffd")");
  CHECK(json("\xF4\x90\x80\x80") == R"("\ufffd\ufffd\ufffd\ufffd")");
}
