#include "proxy/http/byte_ranges.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/base/text.h"

namespace gatescope::http {
namespace {

constexpr std::string_view kUnit = "bytes=";

enum class RangeVerdict { Satisfiable, Unsatisfiable, Malformed };

/// A position beyond 64 bits lies behind the end of every body, and is no error of syntax.
std::optional<std::uint64_t> position(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  for (const char c : digits)
    if (!is_digit(c)) return std::nullopt;
  return parse_unsigned(digits).value_or(~std::uint64_t{0});
}

/// "0-99", "100-" or "-50".
RangeVerdict read_one(std::string_view spec, std::uint64_t size, BytePart& out) {
  const auto dash = spec.find('-');
  if (dash == std::string_view::npos) return RangeVerdict::Malformed;
  const auto left = trim(spec.substr(0, dash)), right = trim(spec.substr(dash + 1));
  if (left.empty()) {
    const auto suffix = position(right);
    if (!suffix) return RangeVerdict::Malformed;
    out.length = std::min(*suffix, size);
    out.first = size - out.length;
    return out.length > 0 ? RangeVerdict::Satisfiable : RangeVerdict::Unsatisfiable;
  }
  const auto first = position(left);
  const auto last = right.empty() ? std::optional(~std::uint64_t{0}) : position(right);
  if (!first || !last || *first > *last) return RangeVerdict::Malformed;
  if (*first >= size) return RangeVerdict::Unsatisfiable;
  out.first = *first;
  out.length = std::min(*last, size - 1) - *first + 1;
  return RangeVerdict::Satisfiable;
}

bool if_range_holds(std::string_view value, const Validators& version) {
  value = trim(value);
  if (value.ends_with('"')) return value == version.etag && value.front() == '"';
  const auto date = parse_http_date(value);
  return date && version.last_modified && *date == *version.last_modified;
}

}  // namespace

RangeChoice parse_range(std::string_view value, std::uint64_t size, std::uint64_t max_ranges) {
  using Kind = RangeChoice::Kind;
  if (!starts_with_ignoring_case(value, kUnit)) return {};
  if (size == 0) return {};  // nginx: an empty body is sent whole, whatever part is asked for
  value.remove_prefix(kUnit.size());
  RangeChoice found{Kind::Parts, {}};
  std::uint64_t total = 0;
  for (const auto piece : split(value, ',')) {
    const auto spec = trim(piece);
    if (spec.empty()) continue;  // empty list elements are allowed (RFC 9110 5.6.1.2)
    BytePart part;
    const auto verdict = read_one(spec, size, part);
    if (verdict == RangeVerdict::Malformed) return {Kind::Unsatisfiable, {}};
    if (verdict != RangeVerdict::Satisfiable) continue;
    if (found.parts.size() >= max_ranges) return {};
    total += part.length;
    if (total > size) return {};
    found.parts.push_back(part);
  }
  if (found.parts.empty()) return {Kind::Unsatisfiable, {}};
  return found;
}

RangeChoice choose_range(const Request& request, const Validators& version, std::uint64_t size,
                         std::uint64_t max_ranges) {
  if (max_ranges == 0 || request.head.method != "GET") return {};
  const auto range = request.head.headers.find("range");
  if (!range) return {};
  const auto if_range = request.head.headers.find("if-range");
  if (if_range && !if_range_holds(*if_range, version)) return {};
  return parse_range(*range, size, max_ranges);
}

std::string content_range(const BytePart& part, std::uint64_t size) {
  return fmt::format("bytes {}-{}/{}", part.first, part.first + part.length - 1, size);
}

MultipartFraming frame_parts(const std::vector<BytePart>& parts, std::uint64_t size,
                             std::string_view content_type, std::string_view boundary) {
  MultipartFraming framing;
  framing.content_type = fmt::format("multipart/byteranges; boundary={}", boundary);
  const auto type =
      content_type.empty() ? std::string() : fmt::format("Content-Type: {}\r\n", content_type);
  for (const auto& part : parts) {
    framing.preludes.push_back(fmt::format("\r\n--{}\r\n{}Content-Range: {}\r\n\r\n", boundary,
                                           type, content_range(part, size)));
    framing.length += framing.preludes.back().size() + part.length;
  }
  framing.closing = fmt::format("\r\n--{}--\r\n", boundary);
  framing.length += framing.closing.size();
  return framing;
}

}  // namespace gatescope::http
