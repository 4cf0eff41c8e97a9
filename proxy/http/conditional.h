#pragma once

// Conditional requests (RFC 9110 13): whether the client's copy is still good, or its condition no
// longer holds.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/http/message.h"

namespace gatescope::http {

/// `if_modified_since off | exact | before`.
enum class IfModifiedSince { Off, Exact, Before };

/// One version of a resource, as validators see it.
struct Validators {
  std::string_view etag;                      // with quotes, W/ if weak; empty: none
  std::optional<std::int64_t> last_modified;  // seconds since 1970
};
inline Validators validators_of(const ResponseHead& head) {
  return {head.etag, head.last_modified};
}

/// nginx's entity tag: modification time and size, each in hexadecimal without leading zeros.
std::string make_etag(std::int64_t last_modified, std::uint64_t size);

enum class Precondition {
  Send,         // no condition, or it holds
  NotModified,  // 304
  Failed,       // 412
};

/// Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of RFC
/// 9110 13.2.2. A field that cannot be read is as if it were absent; so is a date where the
/// resource has none.
Precondition check_preconditions(const Request& request, const Validators& version,
                                 IfModifiedSince rule);

/// Whether a field of this name lists `etag`, or is `*`. Strong comparison refuses weak tags (RFC
/// 9110 8.8.3.2).
enum class Comparison { Strong, Weak };
bool lists_etag(const HeaderList& headers, std::string_view name, std::string_view etag,
                Comparison comparison);

}  // namespace gatescope::http
