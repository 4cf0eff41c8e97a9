#pragma once

// Which characters the parts of a message may hold. Asked for every byte of a head, hence a table.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/base/text.h"

namespace gatescope::http {

class CharClass {
 public:
  enum Bits : std::uint8_t { Token = 1, Name = 2, Target = 4, Value = 8 };
  static constexpr bool has(char c, Bits bits) {
    return (kTable[static_cast<unsigned char>(c)] & bits) != 0;
  }

 private:
  static constexpr std::array<std::uint8_t, 256> make() {
    std::array<std::uint8_t, 256> classes{};
    for (std::size_t i = 0; i < classes.size(); ++i) {
      const char c = static_cast<char>(i);
      const bool alnum = is_alpha(c) || is_digit(c);
      const bool other = c != 0 && std::string_view("!#$%&'*+-.^_`|~").find(c) < 15;
      classes[i] =
          static_cast<std::uint8_t>((alnum || other ? Token : 0) | (alnum || c == '-' ? Name : 0) |
                                    (i > 0x20 && i != 0x7f ? Target : 0) |
                                    ((i >= 0x20 && i != 0x7f) || c == '\t' ? Value : 0));
    }
    return classes;
  }
  static const std::array<std::uint8_t, 256> kTable;
};
inline constexpr std::array<std::uint8_t, 256> CharClass::kTable = CharClass::make();

/// token of RFC 9110 5.6.2: field names.
constexpr bool is_token_char(char c) {
  return CharClass::has(c, CharClass::Token);
}
/// nginx's: what it and the backends behind it are known to agree upon.
constexpr bool is_method_char(char c) {
  return (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}
/// What a field name may hold without being nginx's "invalid header".
constexpr bool is_name_char(char c) {
  return CharClass::has(c, CharClass::Name);
}
/// What a request target may hold: no control, no blank, no DEL. Bytes over 127 and "<>[]{}|\^`
/// pass, as with nginx.
constexpr bool is_target_char(char c) {
  return CharClass::has(c, CharClass::Target);
}
/// What a field value may hold: no control but TAB, no DEL.
constexpr bool is_value_char(char c) {
  return CharClass::has(c, CharClass::Value);
}

/// Only value characters, eight at a time as long as none is a control.
bool is_value(std::string_view text);
/// Only target characters, and there is one; the same way.
bool is_target(std::string_view text);

/// Every character of `text` is one of those, and there is one: all_of<is_token_char>(name).
template <auto kIs>
constexpr bool all_of(std::string_view text) {
  for (const char c : text)
    if (!kIs(c)) return false;
  return !text.empty();
}

}  // namespace gatescope::http
