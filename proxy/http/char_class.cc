#include "proxy/http/char_class.h"

#include <algorithm>

#include "proxy/base/byte_word.h"

namespace gatescope::http {
namespace {

/// Whether one of eight bytes is below kLeast, which is at most 0x80, or 0x7f. A subtraction that
/// borrows from the next byte has found one already.
template <unsigned kLeast>
bool has_low_or_del(ByteWord word) {
  const ByteWord low = (word - each_byte(kLeast)) & ~word;
  const ByteWord is_del = word ^ each_byte(0x7f);
  return ((low | ((is_del - each_byte(1)) & ~is_del)) & each_byte(0x80)) != 0;
}

/// Whether all of `text` is at least kLeast and not 0x7f; false also for less than a word of it.
template <unsigned kLeast>
bool is_plain(std::string_view text) {
  constexpr std::size_t kWord = sizeof(ByteWord);
  if (text.size() < kWord) return false;
  const char *at = text.data(), *const last = at + text.size() - kWord;
  for (; at < last; at += kWord)
    if (has_low_or_del<kLeast>(byte_word(at))) return false;
  return !has_low_or_del<kLeast>(byte_word(last));  // some of it for the second time
}

}  // namespace

bool is_value(std::string_view text) {
  if (is_plain<0x20>(text)) return true;  // without tabs
  return std::all_of(text.begin(), text.end(), [](char c) { return is_value_char(c); });
}

bool is_target(std::string_view text) {
  return is_plain<0x21>(text) || all_of<is_target_char>(text);
}

}  // namespace gatescope::http
