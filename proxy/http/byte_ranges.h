#pragma once

// Byte ranges of a body (RFC 9110 14), as nginx reads and writes them.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/conditional.h"
#include "proxy/http/message.h"

namespace gatescope::http {

/// Which bytes are sent.
struct RangeChoice {
  enum class Kind {
    Whole,          // 200: no Range, or one that does not apply
    Parts,          // 206
    Unsatisfiable,  // 416
  };
  Kind kind = Kind::Whole;
  std::vector<BytePart> parts;  // of Parts, as asked for: neither sorted nor joined
};

/// Reads a Range field's value for a body of `size` bytes. A malformed one is Unsatisfiable, as in
/// nginx; another unit than bytes, more than `max_ranges` satisfiable ranges, and ranges that
/// together are larger than the body (an attack, or a mistake) give all of it.
RangeChoice parse_range(std::string_view value, std::uint64_t size, std::uint64_t max_ranges);

/// The same for a request: GET only (RFC 9110 14.2), and only if If-Range, where there is one,
/// names this version by its strong entity tag or its exact date (13.1.5). max_ranges 0 turns
/// ranges off.
RangeChoice choose_range(const Request& request, const Validators& version, std::uint64_t size,
                         std::uint64_t max_ranges);

/// "bytes 0-99/1000".
std::string content_range(const BytePart& part, std::uint64_t size);

/// What stands around the parts of a multipart/byteranges body (RFC 9110 14.6).
struct MultipartFraming {
  std::string content_type;           // "multipart/byteranges; boundary=..."
  std::vector<std::string> preludes;  // before each part
  std::string closing;                // behind the last
  std::uint64_t length = 0;           // of all
};
/// `boundary`: 20 characters that no client can foresee. `content_type` empty: the parts have none.
MultipartFraming frame_parts(const std::vector<BytePart>& parts, std::uint64_t size,
                             std::string_view content_type, std::string_view boundary);

}  // namespace gatescope::http
