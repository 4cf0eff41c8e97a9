#include "api/count.h"

#include <algorithm>

#include "proxy/base/text.h"

namespace gatescope::api {

namespace {

/// ASCII's share of what Python's str.strip() takes off.
bool is_python_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f');
}

}  // namespace

std::optional<Count> Count::parse(std::string_view text) {
  while (!text.empty() && is_python_blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_python_blank(text.back()))
    text.remove_suffix(1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  constexpr std::int64_t kEnough = std::int64_t{1} << 58;  // times ten still fits
  std::int64_t value = 0;
  bool digit_before = false;
  for (const char c : text) {
    if (is_digit(c)) {
      value = std::min(value * 10 + (c - '0'), kEnough);
      digit_before = true;
    } else if (c == '_' && digit_before) {
      digit_before = false;  // one underscore, between digits
    } else {
      return std::nullopt;
    }
  }
  if (!digit_before) return std::nullopt;
  return Count(negative ? -value : value);
}

std::size_t Count::of(std::size_t available) const {
  const auto n = static_cast<std::uint64_t>(value_ < 0 ? -value_ : value_);
  if (n == 0) return available;
  if (value_ > 0) return static_cast<std::size_t>(std::min<std::uint64_t>(n, available));
  return n >= available ? 0 : available - static_cast<std::size_t>(n);
}

}  // namespace gatescope::api
