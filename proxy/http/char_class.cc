#include "proxy/http/char_class.h"

#include <algorithm>

#include "proxy/base/byte_word.h"

namespace gatescope::http {
namespace {

/// Whether one of eight bytes is below 0x20, or 0x7f. A subtraction that borrows from the next byte
/// has found one already.
bool has_control(ByteWord word) {
  const ByteWord low = (word - each_byte(0x20)) & ~word;
  const ByteWord is_del = word ^ each_byte(0x7f);
  return ((low | ((is_del - each_byte(1)) & ~is_del)) & each_byte(0x80)) != 0;
}

}  // namespace

bool is_value(std::string_view text) {
  constexpr std::size_t kWord = sizeof(ByteWord);
  while (text.size() >= kWord && !has_control(byte_word(text.data())))
    text.remove_prefix(kWord);
  return std::all_of(text.begin(), text.end(), [](char c) { return is_value_char(c); });
}

}  // namespace gatescope::http
