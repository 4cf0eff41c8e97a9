#include <algorithm>
#include <charconv>
#include <limits>

#include "proxy/base/text.h"

namespace gatescope {
namespace {

// nginx's units from long to short; each may appear once, in this order.
struct Unit {
  std::string_view name;
  std::uint64_t milliseconds;
};
constexpr std::uint64_t kSecond = 1000, kMinute = 60 * kSecond, kHour = 60 * kMinute,
                        kDay = 24 * kHour;
constexpr Unit kUnits[] = {{"y", 365 * kDay}, {"M", 30 * kDay}, {"w", 7 * kDay}, {"d", kDay},
                           {"h", kHour},      {"m", kMinute},   {"s", kSecond},  {"ms", 1}};
constexpr std::size_t kSecondsIndex = 6;

}  // namespace

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_signed(std::string_view text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  if (text.empty()) return std::nullopt;
  unsigned shift = 0;
  switch (to_lower(text.back())) {
    case 'k':
      shift = 10;
      break;
    case 'm':
      shift = 20;
      break;
    case 'g':
      shift = 30;
      break;
    default:
      break;
  }
  if (shift != 0) text.remove_suffix(1);
  const auto value = parse_unsigned(text);
  // Half the range is left out so that a size is always a valid off_t.
  if (!value ||
      *value > (static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) >> shift)) {
    return std::nullopt;
  }
  return *value << shift;
}

std::optional<Duration> parse_duration(std::string_view text) {
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::uint64_t total = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto value = parse_unsigned(text.substr(0, digits));
    if (!value) return std::nullopt;
    text.remove_prefix(digits);

    const std::size_t letters = std::min(text.find_first_of(" 0123456789"), text.size());
    const std::string_view name = text.substr(0, letters);
    std::size_t unit = next_unit;
    if (name.empty()) {  // a bare number: seconds, and the last
      if (next_unit > kSecondsIndex || !text.empty()) return std::nullopt;
      unit = kSecondsIndex;
    } else {
      while (unit < std::size(kUnits) && kUnits[unit].name != name)
        ++unit;
      if (unit == std::size(kUnits)) return std::nullopt;
    }
    text.remove_prefix(letters);
    next_unit = unit + 1;

    const std::uint64_t scale = kUnits[unit].milliseconds;
    if (*value > (kMost - total) / scale) return std::nullopt;
    total += *value * scale;
    while (!text.empty() && text.front() == ' ')
      text.remove_prefix(1);
  }
  return Duration(static_cast<std::int64_t>(total));
}

}  // namespace gatescope
