#pragma once

// What gatescope and gatescope-factor both must know of a number. Nothing but text.

#include <cstddef>
#include <string_view>

namespace gatescope::api {

/// A number as it came: sign and digits. Views of the text that was parsed.
struct NumberText {
  bool negative = false;
  std::string_view digits;  // no zero in front, but "0" itself
};

/// Decimal digits with or without a sign; false: it is something else.
constexpr bool parse_number(std::string_view text, NumberText& number) {
  number.negative = text.starts_with('-');
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return false;
  for (const char c : text)
    if (c < '0' || c > '9') return false;
  while (text.size() > 1 && text.front() == '0')
    text.remove_prefix(1);
  number.digits = text;
  if (text == "0") number.negative = false;
  return true;
}

constexpr std::string_view kLargestCompact = "4294967296";  // 2^32
constexpr std::string_view kLargestFactored =               // 2^512
    "13407807929942597099574024998205846127479365820592393377723561443721764030073546976801874298"
    "166903427690031858186486050853753882811946569946433649006084096";

/// Digits without sign and leading zeros.
constexpr bool is_above(std::string_view digits, std::string_view limit) {
  return digits.size() != limit.size() ? digits.size() > limit.size() : digits > limit;
}

}  // namespace gatescope::api
