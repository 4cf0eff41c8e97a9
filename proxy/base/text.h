#pragma once

// Text without locale and without allocation where possible. ASCII rules only: HTTP and the
// configuration language know no other letters.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace gatescope {

constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
/// `size` bytes at both.
bool same_ignoring_case(const char* a, const char* b, std::size_t size);
inline bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         same_ignoring_case(text.data(), prefix.data(), prefix.size());
}
inline bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && (a.empty() || to_lower(a[0]) == to_lower(b[0])) &&
         same_ignoring_case(a.data(), b.data(), a.size());
}
std::string lower(std::string_view text);
/// Without blanks and tabs at both ends.
constexpr std::string_view trim(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back()))
    text.remove_suffix(1);
  return text;
}
std::vector<std::string_view> split(std::string_view text, char separator);  // empty parts kept

/// Decimal digits only, no sign, no overflow; nullopt otherwise.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);
std::optional<std::int64_t> parse_signed(std::string_view text);
/// nginx sizes: digits with k, m or g (any case). Bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);
/// nginx times: "1h 30m", "10s", "500ms", a bare number in seconds; units ms s m h d w M y.
std::optional<Duration> parse_duration(std::string_view text);

/// Percent-decoding (RFC 3986 2.1); nullopt at a bad escape. '+' stays '+'.
std::optional<std::string> percent_decode(std::string_view text);
/// As nginx (from 1.21.1) escapes a path in a redirect: controls, blank, any of `"#%<>?\^`{|}`, and
/// bytes from 127 on.
std::string percent_encode_path(std::string_view text);
/// As nginx: < > & and the double quote; so attributes stand in double quotes, never in single
/// ones.
std::string html_escape(std::string_view text);
bool is_valid_utf8(std::string_view text);
std::string to_hex(std::string_view bytes);

/// IMF-fixdate (RFC 9110 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". Seconds since 1970; the year is
/// between 0 and 9999, as far as the form goes.
std::string http_date(std::int64_t unix_seconds);
/// The same where no string is wanted: each proxied answer has two of them.
class HttpDate {
 public:
  explicit HttpDate(std::int64_t unix_seconds);
  std::string_view text() const { return {text_.data(), text_.size()}; }
  /// Those of which text() would be exactly this; nullopt: there are none.
  static std::optional<std::int64_t> seconds_of(std::string_view text);

 private:
  std::array<char, 29> text_;
};
/// Accepts the three forms of RFC 9110 5.6.7.
std::optional<std::int64_t> parse_http_date(std::string_view text);
/// "23/Nov/2026:22:13:00 +0000": combined log. Local time zone, as nginx.
std::string log_time_local(WallTime time);
/// "2026-11-23T22:13:00+00:00", local time.
std::string log_time_iso8601(WallTime time);
/// http_date() of a point in time: the Date field.
std::string date_field(WallTime time);
/// One of these texts, made once a second. Owned by whoever writes many of them, on one thread.
class SecondText {
 public:
  explicit SecondText(std::string (*make)(WallTime)) : make_(make) {}
  std::string_view at(WallTime time);  // valid until the next call

 private:
  std::string (*make_)(WallTime);
  std::int64_t second_ = -1;
  std::string text_;
};
/// "2026/11/23 22:13:00": error log, local time.
std::string log_time_error(WallTime time);
/// "Nov  9 22:13:00", RFC 3164
std::string log_time_syslog(WallTime time);

/// The entry of `known` nearest to `word` by edit distance, if near enough to be a typing error.
std::optional<std::string_view> nearest_word(std::string_view word,
                                             const std::vector<std::string_view>& known);

}  // namespace gatescope
