#include "api/utf8.h"

#include "proxy/base/text.h"

namespace gatescope::api {

namespace {

constexpr char32_t kReplacement = 0xFFFD;

/// How many bytes a sequence has that begins with `first`; 0: none begins so.
std::size_t length_after(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  if (first >= 0xF0 && first < 0xF5) return 4;
  return 0;
}

}  // namespace

char32_t take_code_point(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = length_after(first);
  if (length == 1) {
    text.remove_prefix(1);
    return first;
  }
  // Overlong forms, surrogates and what lies above U+10FFFF are is_valid_utf8's to know.
  if (length == 0 || text.size() < length || !is_valid_utf8(text.substr(0, length))) {
    text.remove_prefix(1);
    return kReplacement;
  }
  char32_t code = first & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i)
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  text.remove_prefix(length);
  return code;
}

std::string valid_utf8(std::string_view text) {
  if (is_valid_utf8(text)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    const std::string_view before = text;
    if (take_code_point(text) == kReplacement)
      out += "\xEF\xBF\xBD";
    else
      out += before.substr(0, before.size() - text.size());
  }
  return out;
}

std::size_t utf8_length(std::string_view text) {
  std::size_t n = 0;
  for (; !text.empty(); ++n)
    take_code_point(text);
  return n;
}

}  // namespace gatescope::api
