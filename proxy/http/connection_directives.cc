// Directives of the connection: how long it waits, when it is kept, how it is closed.

#include <fmt/format.h>

#include "conf/setters.h"
#include "proxy/http/core_directives.h"

namespace gatescope::http {

namespace {

using conf::Arity;
using conf::Directive;
using conf::Loader;
using conf::Scope;

Result<void> apply_keepalive_timeout(Loader& loader, Scope& scope, const Directive& d) {
  auto& core = scope.own<CoreSettings>();
  auto timeout = loader.duration(d, 0);
  if (!timeout) return timeout.error();
  if (d.count() == 2) {
    auto header = loader.duration(d, 1);
    if (!header) return header.error();
    core.keepalive_header.set(static_cast<std::uint64_t>(header->count() / 1000));
  } else {
    core.keepalive_header.set(0);
  }
  return loader.set_once(core.keepalive_timeout, *timeout, d);
}

Result<void> apply_lingering_close(Loader& loader, Scope& scope, const Directive& d) {
  constexpr std::string_view kWords[] = {"off", "on", "always"};
  auto word = loader.choice(d, 0, kWords);
  if (!word) return word.error();
  return loader.set_once(scope.own<CoreSettings>().lingering_close,
                         static_cast<ExchangePolicy::Lingering>(*word), d);
}

Result<void> apply_keepalive_disable(Loader& loader, Scope& scope, const Directive& d) {
  constexpr std::string_view kWords[] = {"none", "msie6", "safari"};
  unsigned browsers = 0;
  for (std::size_t i = 0; i < d.count(); ++i) {
    auto word = loader.choice(d, i, kWords);
    if (!word) return word.error();
    browsers |= *word == 1 ? CoreSettings::kMsie6 : *word == 2 ? CoreSettings::kSafari : 0;
  }
  return loader.set_once(scope.own<CoreSettings>().keepalive_disable, browsers, d);
}

const conf::DirectiveSpec kConnectionDirectives[] = {
    {.name = "send_timeout",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "send_timeout time;",
     .fallback = "60s",
     .doc = "Between two successful writes to a client.",
     .apply = conf::set_duration<&CoreSettings::send_timeout>},
    {.name = "reset_timedout_connection",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "reset_timedout_connection on | off;",
     .fallback = "off",
     .doc = "Timed-out connections are reset, which frees their memory at once.",
     .apply = conf::set_flag<&CoreSettings::reset_timedout_connection>},
    {.name = "keepalive_timeout",
     .contexts = conf::kHttpLevels,
     .arity = {1, 2},
     .syntax = "keepalive_timeout timeout [header_timeout];",
     .fallback = "75s",
     .doc = "How long an idle connection is kept; 0: not at all.",
     .apply = apply_keepalive_timeout},
    {.name = "keepalive_disable",
     .contexts = conf::kHttpLevels,
     .arity = {1, Arity::kAny},
     .syntax = "keepalive_disable none | msie6 | safari ...;",
     .fallback = "msie6",
     .doc =
         "Browsers whose connections are closed after the response: old Internet Explorers after "
         "a POST, Safari on macOS always.",
     .apply = apply_keepalive_disable},
    {.name = "keepalive_min_timeout",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "keepalive_min_timeout time;",
     .fallback = "0",
     .doc = "How long an idle connection is left open at least when the server stops or reloads "
            "gracefully.",
     .apply = conf::set_duration<&CoreSettings::keepalive_min_timeout>},
    {.name = "keepalive_requests",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "keepalive_requests number;",
     .fallback = "1000",
     .doc = "Requests on one connection.",
     .apply = conf::set_number<&CoreSettings::keepalive_requests>},
    {.name = "keepalive_time",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "keepalive_time time;",
     .fallback = "1h",
     .doc = "A connection older than this is closed after its response.",
     .apply = conf::set_duration<&CoreSettings::keepalive_time>},
    {.name = "lingering_close",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "lingering_close off | on | always;",
     .fallback = "on",
     .doc = "Whether more from the client is read and dropped before closing, so that it sees the "
            "answer.",
     .apply = apply_lingering_close},
    {.name = "lingering_time",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "lingering_time time;",
     .fallback = "30s",
     .doc = "For how long at most.",
     .apply = conf::set_duration<&CoreSettings::lingering_time>},
    {.name = "lingering_timeout",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "lingering_timeout time;",
     .fallback = "5s",
     .doc = "How long to wait for more of it.",
     .apply = conf::set_duration<&CoreSettings::lingering_timeout>},
};

}  // namespace

std::span<const conf::DirectiveSpec> connection_directives() {
  return kConnectionDirectives;
}

}  // namespace gatescope::http
