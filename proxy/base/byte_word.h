#pragma once

// Eight characters at a time, in a register.

#include <cstddef>
#include <cstdint>
#include <cstring>

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

}  // namespace gatescope
