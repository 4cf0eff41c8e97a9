#include "static/range.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/base/text.h"

namespace gatescope::files {
namespace {

constexpr std::string_view kUnit = "bytes=";
constexpr RangeChoice kUnsatisfiable{RangeChoice::Kind::Unsatisfiable, 0, 0};

enum class Verdict { Satisfiable, Unsatisfiable, Malformed };

/// A position beyond 64 bits lies behind the end of every file, and is no error of syntax.
std::optional<std::uint64_t> position(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  for (const char c : digits)
    if (!is_digit(c)) return std::nullopt;
  return parse_unsigned(digits).value_or(~std::uint64_t{0});
}

/// "0-99", "100-" or "-50".
Verdict read_one(std::string_view spec, std::uint64_t size, RangeChoice& out) {
  const auto dash = spec.find('-');
  if (dash == std::string_view::npos) return Verdict::Malformed;
  const auto left = trim(spec.substr(0, dash)), right = trim(spec.substr(dash + 1));
  out.kind = RangeChoice::Kind::Part;
  if (left.empty()) {
    const auto suffix = position(right);
    if (!suffix) return Verdict::Malformed;
    out.length = std::min(*suffix, size);
    out.first = size - out.length;
    return out.length > 0 ? Verdict::Satisfiable : Verdict::Unsatisfiable;
  }
  const auto first = position(left);
  const auto last = right.empty() ? std::optional(~std::uint64_t{0}) : position(right);
  if (!first || !last || *first > *last) return Verdict::Malformed;
  if (*first >= size) return Verdict::Unsatisfiable;
  out.first = *first;
  out.length = std::min(*last, size - 1) - *first + 1;
  return Verdict::Satisfiable;
}

/// If-Range holds a strong entity tag or the exact date of the last change.
bool if_range_holds(std::string_view value, const Version& version) {
  value = trim(value);
  if (value.ends_with('"')) return value == version.etag;
  const auto date = parse_http_date(value);
  return date && *date == version.last_modified;
}

}  // namespace

RangeChoice parse_range(std::string_view value, std::uint64_t size, std::uint64_t max_ranges) {
  if (!starts_with_ignoring_case(value, kUnit)) return {};
  if (size == 0) return {};  // nginx: an empty file is sent whole, whatever part is asked for
  value.remove_prefix(kUnit.size());
  RangeChoice found;
  std::uint64_t count = 0, satisfiable = 0;
  for (const auto part : split(value, ',')) {
    const auto spec = trim(part);
    if (spec.empty()) continue;  // empty list elements are allowed (RFC 9110 5.6.1.2)
    RangeChoice one;
    const auto verdict = read_one(spec, size, one);
    if (verdict == Verdict::Malformed) return kUnsatisfiable;
    ++count;
    if (verdict == Verdict::Satisfiable && ++satisfiable == 1) found = one;
  }
  if (satisfiable == 0) return kUnsatisfiable;
  if (count > max_ranges || satisfiable > 1) return {};
  return found;
}

RangeChoice choose_range(const http::Request& request, const Version& version, std::uint64_t size,
                         std::uint64_t max_ranges) {
  if (max_ranges == 0 || request.head.method != "GET") return {};
  const auto range = request.head.headers.find("range");
  if (!range) return {};
  const auto if_range = request.head.headers.find("if-range");
  if (if_range && !if_range_holds(*if_range, version)) return {};
  return parse_range(*range, size, max_ranges);
}

std::string content_range(const RangeChoice& choice, std::uint64_t size) {
  if (choice.kind == RangeChoice::Kind::Unsatisfiable) return fmt::format("bytes */{}", size);
  return fmt::format("bytes {}-{}/{}", choice.first, choice.first + choice.length - 1, size);
}

}  // namespace gatescope::files
