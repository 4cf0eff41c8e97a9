// ssl_session_*: how clients resume sessions.

#include <fmt/format.h>

#include "certs/directive_parts.h"
#include "certs/session_caches.h"
#include "conf/setters.h"

namespace gatescope::tls {
namespace {

using conf::Directive;
using conf::Loader;
using conf::Scope;
using namespace directives;

Result<void> set_session_cache(Loader& loader, Scope& scope, const Directive& d) {
  std::string words;
  for (const auto& argument : d.arguments) {
    if (!words.empty()) words += ' ';
    words += argument.text;
  }
  const auto cache = parse_session_cache(words);
  if (!cache) {
    return Loader::fail(d, fmt::format("\"{}\" directive: {}, use off, none, builtin or "
                                       "shared:NAME:SIZE (32k at least)",
                                       d.name, cache.error().detail));
  }
  if (cache->kind == SessionCache::Kind::Shared) {
    Scope* http = &scope;
    while (http->context() != conf::Context::Http && http->parent() != nullptr)
      http = http->parent();
    const auto [known, fresh] = own(*http).shared_caches.emplace(cache->name, cache->bytes);
    if (!fresh && known->second != cache->bytes) {
      return Loader::fail(
          d, fmt::format("\"{}\" directive: the size {} of the shared cache \"{}\" conflicts with "
                         "already declared size {}, write the same everywhere",
                         d.name, cache->bytes, cache->name, known->second));
    }
  }
  return loader.set_once(own(scope).session_cache, std::move(words), d);
}

constexpr conf::DirectiveSpec kSessionDirectives[] = {
    {.name = "ssl_session_cache",
     .contexts = kLevels,
     .arity = {1, 2},
     .syntax = "ssl_session_cache off | none | [builtin[:size]] [shared:name:size];",
     .fallback = "none",
     .doc = "Where sessions are kept, for clients that resume without tickets.",
     .apply = set_session_cache,
     .note =
         "A shared cache survives a reload that leaves its size; 1m keeps about 3000 sessions. "
         "builtin is one server's own and empty after a reload. Where both are named the shared "
         "one does the work. At the largest 4k of a session are kept: a client certificate is "
         "part of it."},
    {.name = "ssl_session_timeout",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_session_timeout time;",
     .fallback = "5m",
     .doc = "For how long a client may resume a session.",
     .apply = conf::set_duration<&TlsDirectives::session_timeout>},
    {.name = "ssl_session_tickets",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_session_tickets on | off;",
     .fallback = "on",
     .doc = "Whether sessions may be resumed by tickets. Their keys change daily (with a shared "
            "session cache: as soon as no ticket needs the older one) and survive a reload.",
     .apply = conf::set_flag<&TlsDirectives::session_tickets>},
    {.name = "ssl_session_ticket_key",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_session_ticket_key file;",
     .doc = "A key for tickets, 80 random bytes (AES256) or 48 (AES128), so that several machines "
            "understand each other's. May be repeated: the first encrypts, all decrypt. Keys "
            "from files change only with a reload.",
     .apply = [](Loader& l, Scope& s, const Directive& d) -> Result<void> {
       own(s).ticket_keys.edit().push_back({l.conf_path(d.arg(0)), d.place});
       return {};
     }},
};

}  // namespace

std::span<const conf::DirectiveSpec> session_directives() {
  return kSessionDirectives;
}

}  // namespace gatescope::tls
