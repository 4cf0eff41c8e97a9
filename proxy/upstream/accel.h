#pragma once

// X-Accel-*: what an upstream may tell the server in front of it (nginx's upstream module).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/http/exchange.h"
#include "proxy/http/http1_response_parser.h"

namespace gatescope::upstream {

/// proxy_ignore_headers, as bits: these fields of a response do nothing.
struct IgnoredFields {
  enum : unsigned {
    kRedirect = 1,
    kExpires = 2,
    kLimitRate = 4,
    kBuffering = 8,
    kCharset = 16,
    kExpiresField = 32,
    kCacheControl = 64,
    kSetCookie = 128,
    kVary = 256
  };
  static constexpr std::string_view kNames[] = {
      "X-Accel-Redirect",  "X-Accel-Expires", "X-Accel-Limit-Rate",
      "X-Accel-Buffering", "X-Accel-Charset", "Expires",
      "Cache-Control",     "Set-Cookie",      "Vary"};
};

/// X-Accel-Redirect's place, to be handed to Exchange::redirect().
struct AccelTarget {
  std::string path;                      // decoded, or "@name"
  std::optional<std::string_view> args;  // of the value; nullopt: there is no '?'
};
/// nullopt: it leads outside (".."), or is no path.
std::optional<AccelTarget> safe_redirect(std::string_view value);

/// Before an internal redirect: what of the upstream's answer goes on to the client with the answer
/// of the new place (Content-Type, Content-Disposition, Set-Cookie, Accept-Ranges, Cache-Control,
/// Expires; nginx's list). Views of `received` may end with this call.
void keep_for_redirect(http::Exchange& exchange, const http::ReceivedHead& received);

/// X-Accel-Limit-Rate: bytes a second, 0: no limit ("off"); nullopt: no such field, or no number.
std::optional<std::uint64_t> accel_limit_rate(const http::ReceivedHead& received);

/// X-Accel-Buffering: yes or no.
std::optional<bool> accel_buffering(const http::ReceivedHead& received);

}  // namespace gatescope::upstream
