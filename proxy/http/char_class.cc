#include "proxy/http/char_class.h"

#include <algorithm>

#include "proxy/base/byte_word.h"

namespace gatescope::http {
namespace {

/// Whether all of `text` is at least kLeast and not DEL; false also where it is short.
template <unsigned kLeast>
bool is_plain(std::string_view text) {
  return all_words(text,
                   [](ByteWord word) { return !any_below<kLeast>(word) && !any_is<0x7f>(word); });
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
