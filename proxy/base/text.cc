#include "proxy/base/text.h"

#include <algorithm>

#include "proxy/base/byte_word.h"

namespace gatescope {

namespace {

/// to_lower() of eight characters at once. Of a byte below 128 the seventh bit shows after an
/// addition whether it is at least so large; no addition reaches the next byte.
ByteWord lower_word(ByteWord word) {
  const ByteWord low = word & each_byte(0x7f);
  const ByteWord from_a = low + each_byte(0x80 - 'A'), behind_z = low + each_byte(0x7f - 'Z');
  const ByteWord upper = from_a & ~behind_z & ~word & each_byte(0x80);
  return word | upper >> 2;  // 0x20
}

}  // namespace

bool same_ignoring_case(const char* a, const char* b, std::size_t size) {
  const auto same = [&](std::size_t at, std::size_t count) {
    const ByteWord one = byte_word(a + at, count), other = byte_word(b + at, count);
    return one == other || lower_word(one) == lower_word(other);  // mostly written the same
  };
  constexpr std::size_t kWord = sizeof(ByteWord), kHalf = kWord / 2;
  if (size < kHalf) {
    for (std::size_t i = 0; i < size; ++i)
      if (to_lower(a[i]) != to_lower(b[i])) return false;
    return true;
  }
  // The last word holds some characters for the second time.
  if (size < kWord) return same(0, kHalf) && same(size - kHalf, kHalf);
  for (std::size_t i = 0; i + kWord < size; i += kWord)
    if (!same(i, kWord)) return false;
  return same(size - kWord, kWord);
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), to_lower);
  return result;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

bool is_valid_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t i = 0;
  while (i < text.size()) {
    const unsigned char first = byte(i);
    if (first < 0x80) {
      ++i;
      continue;
    }
    // The second byte's range excludes overlong forms, surrogates and what lies beyond U+10FFFF
    // (RFC 3629 4).
    std::size_t length = 0;
    unsigned char low = 0x80, high = 0xbf;
    if (first >= 0xc2 && first <= 0xdf) {
      length = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
      length = 3;
      if (first == 0xe0) low = 0xa0;
      if (first == 0xed) high = 0x9f;
    } else if (first >= 0xf0 && first <= 0xf4) {
      length = 4;
      if (first == 0xf0) low = 0x90;
      if (first == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    if (text.size() - i < length || byte(i + 1) < low || byte(i + 1) > high) return false;
    for (std::size_t k = 2; k < length; ++k) {
      if ((byte(i + k) & 0xc0) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string result;
  result.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    result += kDigits[byte >> 4];
    result += kDigits[byte & 15];
  }
  return result;
}

}  // namespace gatescope
