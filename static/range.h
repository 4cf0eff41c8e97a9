#pragma once

// Byte ranges of a file (RFC 9110 14).

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/http/message.h"
#include "static/conditional.h"

namespace gatescope::files {

/// Which bytes are sent.
struct RangeChoice {
  enum class Kind {
    Whole,          // 200: no Range, or one that does not apply
    Part,           // 206
    Unsatisfiable,  // 416
  };
  Kind kind = Kind::Whole;
  std::uint64_t first = 0;   // of Part
  std::uint64_t length = 0;  // of Part; at least 1
};

/// Reads a Range field's value for a file of `size` bytes. A malformed one is Unsatisfiable, as in
/// nginx; another unit than bytes, more than `max_ranges` ranges, and several satisfiable ranges
/// give the whole file.
RangeChoice parse_range(std::string_view value, std::uint64_t size, std::uint64_t max_ranges);

/// The same for a request: GET only (RFC 9110 14.2), and only if If-Range, where there is one,
/// names this version (13.1.5). max_ranges 0 turns ranges off.
RangeChoice choose_range(const http::Request& request, const Version& version, std::uint64_t size,
                         std::uint64_t max_ranges);

/// "bytes 0-99/1000"; for Unsatisfiable "bytes */1000".
std::string content_range(const RangeChoice& choice, std::uint64_t size);

}  // namespace gatescope::files
