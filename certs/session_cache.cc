#include "certs/session_cache.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/base/text.h"

namespace gatescope::tls {
namespace {

constexpr std::size_t kBuiltinSessions = 20480;  // OpenSSL's and nginx's default
constexpr std::size_t kBytesPerSession = 256;    // nginx: one megabyte keeps about 4000 sessions
constexpr std::size_t kSmallest = 8 * 4096;      // nginx: eight pages

Error invalid(std::string_view word) {
  return make_error(ErrorKind::Invalid, Origin::Internal,
                    fmt::format("invalid session cache \"{}\"", word));
}

Result<std::size_t> shared_sessions(std::string_view word) {
  const auto parts = split(word, ':');
  if (parts.size() != 3 || parts[1].empty()) return invalid(word);
  const auto size = parse_size(parts[2]);
  if (!size) return invalid(word);
  if (*size < kSmallest) {
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      fmt::format("session cache \"{}\" is too small", word));
  }
  return static_cast<std::size_t>(*size / kBytesPerSession);
}

Result<std::size_t> builtin_sessions(std::string_view word) {
  if (word == "builtin") return kBuiltinSessions;
  const auto count = parse_unsigned(word.substr(std::string_view("builtin:").size()));
  // 0 would mean "without bound" to OpenSSL.
  if (!count || *count == 0) return invalid(word);
  return static_cast<std::size_t>(*count);
}

}  // namespace

Result<SessionCache> parse_session_cache(std::string_view words) {
  SessionCache cache;
  for (const std::string_view word : split(words, ' ')) {
    if (word.empty()) continue;
    if (word == "off") {
      cache.kind = SessionCache::Kind::Off;
      continue;
    }
    if (word == "none") {
      cache.kind = SessionCache::Kind::None;
      continue;
    }
    const bool is_builtin = word == "builtin" || word.starts_with("builtin:");
    if (!is_builtin && !word.starts_with("shared:")) return invalid(word);
    const auto sessions = is_builtin ? builtin_sessions(word) : shared_sessions(word);
    if (!sessions) return sessions.error();
    cache.kind = SessionCache::Kind::Kept;
    cache.sessions = std::max(cache.sessions, *sessions);
  }
  return cache;
}

}  // namespace gatescope::tls
