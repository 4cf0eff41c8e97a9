#pragma once

// Eight characters at a time, in a register.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace gatescope {

using ByteWord = std::uint64_t;

/// That value in each byte.
constexpr ByteWord each_byte(unsigned value) {
  return value * (~ByteWord{0} / 255);
}

/// The characters from there on, `size` of them: at most eight, zeros behind them.
inline ByteWord byte_word(const char* text, std::size_t size = sizeof(ByteWord)) {
  ByteWord word = 0;
  std::memcpy(&word, text, size);
  return word;
}

/// Whether one of the eight is below kLeast, which is at most 0x80. A subtraction that borrows from
/// the next byte has found one already.
template <unsigned kLeast>
constexpr bool any_below(ByteWord word) {
  return ((word - each_byte(kLeast)) & ~word & each_byte(0x80)) != 0;
}
/// Whether one of the eight is that.
template <unsigned kValue>
constexpr bool any_is(ByteWord word) {
  return any_below<1>(word ^ each_byte(kValue));
}

/// Whether `is_good` is true of each word of the text; false also where it has less than one. The
/// last word holds some characters for the second time.
template <class IsGood>
bool all_words(std::string_view text, IsGood is_good) {
  if (text.size() < sizeof(ByteWord)) return false;
  const char *at = text.data(), *const last = at + text.size() - sizeof(ByteWord);
  for (; at < last; at += sizeof(ByteWord))
    if (!is_good(byte_word(at))) return false;
  return is_good(byte_word(last));
}

}  // namespace gatescope
