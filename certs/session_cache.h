#pragma once

#include <cstddef>
#include <string_view>

#include "proxy/base/result.h"

namespace gatescope::tls {

/// What the words of ssl_session_cache mean. Both of nginx's caches are OpenSSL's own here: threads
/// share it within one configuration, and tickets, not the cache, survive a reload.
struct SessionCache {
  enum class Kind {
    Off,   // no session ids at all
    None,  // says that sessions may be resumed, keeps none (some mail clients insist)
    Kept,  // in memory
  };
  Kind kind = Kind::None;
  std::size_t sessions = 0;  // at most, when Kept
};

/// `off`, `none`, `builtin[:SESSIONS]`, `shared:NAME:SIZE`, or the last two with a blank between.
/// Errors are nginx's: `invalid session cache "x"`.
Result<SessionCache> parse_session_cache(std::string_view words);

}  // namespace gatescope::tls
