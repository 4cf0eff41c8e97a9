#pragma once

// Conditional requests (RFC 9110 13): whether the client's copy is still good, or its condition no
// longer holds.

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/http/message.h"

namespace gatescope::files {

/// `if_modified_since off | exact | before`.
enum class IfModifiedSince { Off, Exact, Before };

/// One version of a file, as validators see it.
struct Version {
  std::string_view etag;           // strong, with quotes
  std::int64_t last_modified = 0;  // seconds since 1970
};

/// nginx's entity tag: modification time and size, each in hexadecimal without leading zeros.
std::string make_etag(std::int64_t last_modified, std::uint64_t size);

enum class Precondition {
  Send,         // no condition, or it holds
  NotModified,  // 304
  Failed,       // 412
};

/// Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of RFC
/// 9110 13.2.2. A field that cannot be read is as if it were absent.
Precondition check_preconditions(const http::Request& request, const Version& version,
                                 IfModifiedSince rule);

/// Whether a field of this name lists `etag`, or is `*`. Strong comparison refuses weak tags (RFC
/// 9110 8.8.3.2).
enum class Comparison { Strong, Weak };
bool lists_etag(const http::HeaderList& headers, std::string_view name, std::string_view etag,
                Comparison comparison);

}  // namespace gatescope::files
