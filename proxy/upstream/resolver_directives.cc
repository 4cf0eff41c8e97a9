// resolver and resolver_timeout.

#include <fmt/format.h>

#include "conf/setters.h"
#include "proxy/upstream/proxy_url.h"
#include "proxy/upstream/resolver_settings.h"
#include "proxy/upstream/upstream_directives.h"
#include "proxy/upstream/upstream_module.h"

namespace gatescope::upstream {

namespace {

using conf::Directive;
using conf::Loader;
using conf::Scope;

constexpr std::uint16_t kDnsPort = 53;

/// "on" and "off" behind "ipv4=".
Result<bool> switched(const Directive& d, std::size_t i, std::string_view value) {
  if (value == "on") return true;
  if (value == "off") return false;
  return Loader::fail_at(d.arguments[i].place,
                         fmt::format("invalid parameter: {}, it must be on or off", d.arg(i)));
}

Result<void> apply_resolver(Loader& loader, Scope& scope, const Directive& d) {
  net::ResolverSettings settings;
  for (std::size_t i = 0; i < d.count(); ++i) {
    const auto argument = d.arg(i);
    if (argument.starts_with("valid=")) {
      const auto valid = parse_duration(argument.substr(6));
      if (!valid)
        return Loader::fail_at(d.arguments[i].place,
                               fmt::format("invalid parameter: {}", argument));
      settings.valid = *valid;
    } else if (argument.starts_with("ipv4=") || argument.starts_with("ipv6=")) {
      auto on = switched(d, i, argument.substr(5));
      if (!on) return on.error();
      (argument[3] == '4' ? settings.ipv4 : settings.ipv6) = *on;
    } else {
      auto address = parse_server_address(argument);
      if (!address || address->is_unix)
        return Loader::fail_at(d.arguments[i].place,
                               address ? fmt::format("invalid address in resolver \"{}\"", argument)
                                       : address.error().detail);
      if (address->port.empty()) address->port = std::to_string(kDnsPort);
      auto found = loader.service<UpstreamModule>().look_up(*address);
      if (!found)
        return Loader::fail_at(d.arguments[i].place,
                               fmt::format("host not found in resolver \"{}\"", argument));
      settings.servers.insert(settings.servers.end(), found->begin(), found->end());
    }
  }
  if (!settings.ipv4 && !settings.ipv6)
    return Loader::fail(d, "\"ipv4\" and \"ipv6\" cannot both be \"off\"");
  if (settings.servers.empty()) return Loader::fail(d, "no name servers defined");
  return loader.set_once(scope.own<ResolverConf>().resolver, std::move(settings), d);
}

Result<void> apply_resolver_timeout(Loader& loader, Scope& scope, const Directive& d) {
  auto time = loader.duration(d);
  if (!time) return time.error();
  return loader.set_once(scope.own<ResolverConf>().timeout, *time, d);
}

constexpr conf::Contexts kLevels = conf::kHttpLevels | conf::Context::Upstream;

const conf::DirectiveSpec kResolverDirectives[] = {
    {.name = "resolver",
     .contexts = kLevels,
     .arity = {1, conf::Arity::kAny},
     .syntax = "resolver address ... [valid=time] [ipv4=on|off] [ipv6=on|off];",
     .doc = "Name servers (port 53 unless said) for names that are looked up while the program "
            "runs: those that variables put into proxy_pass, and servers of a group with "
            "\"resolve\". An answer holds as long as it says, or for valid=.",
     .apply = apply_resolver,
     .note = "The servers are tried in the order written, and the next one also when one says that "
             "it failed; nginx goes round, and takes that for an answer. As in nginx /etc/hosts is "
             "not read, and a failure for one of IPv4 and IPv6 is one of the name."},
    {.name = "resolver_timeout",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "resolver_timeout time;",
     .fallback = "30s",
     .doc = "How long a request waits for a name; and after a failure, how soon a server with "
            "\"resolve\" is asked for again.",
     .apply = apply_resolver_timeout},
};

}  // namespace

void add_resolver_directives(conf::Schema& schema) {
  schema.add(kResolverDirectives);
  schema.add_settings<ResolverConf>();
}

}  // namespace gatescope::upstream
