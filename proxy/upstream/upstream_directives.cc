#include "proxy/upstream/upstream_directives.h"

#include <fmt/format.h>

#include "proxy/base/text.h"
#include "proxy/upstream/proxy_settings.h"
#include "proxy/upstream/upstream_module.h"

namespace gatescope::upstream {

namespace {

using conf::Directive;
using conf::Loader;
using conf::Scope;

Result<void> apply_upstream(Loader& loader, Scope& scope, const Directive& d) {
  for (const auto& other : scope.children())
    if (const auto* known = other->find<UpstreamSettings>(); known && known->spec.name == d.arg(0))
      return Loader::fail_at(d.place, fmt::format("duplicate upstream \"{}\"", d.arg(0)));
  auto block = loader.load_block(d, scope, conf::Context::Upstream);
  if (!block) return block.error();
  auto& settings = (*block)->own<UpstreamSettings>();
  settings.spec.name = d.arg(0);
  settings.place = d.place;
  if (settings.spec.servers.empty())
    return Loader::fail_at(d.place, fmt::format("no servers are inside upstream \"{}\"", d.arg(0)));
  return {};
}

/// "weight=5" -> "5"
std::optional<std::string_view> value_of(std::string_view argument, std::string_view name) {
  if (!argument.starts_with(name)) return std::nullopt;
  return argument.substr(name.size());
}

Result<void> apply_server(Loader&, Scope& scope, const Directive& d) {
  ServerSpec server;
  server.name = d.arg(0);
  auto address = parse_server_address(d.arg(0));
  if (!address) return Loader::fail_at(d.arguments[0].place, address.error().detail);
  for (std::size_t i = 1; i < d.count(); ++i) {
    const auto argument = d.arg(i);
    const auto number = [&](std::string_view name) {
      const auto text = value_of(argument, name);
      return text ? parse_unsigned(*text) : std::nullopt;
    };
    if (argument == "backup") {
      server.backup = true;
    } else if (argument == "down") {
      server.down = true;
    } else if (const auto weight = number("weight="); weight && *weight > 0 && *weight <= 65535) {
      server.weight = static_cast<unsigned>(*weight);
    } else if (const auto fails = number("max_fails="); fails && *fails <= 65535) {
      server.max_fails = static_cast<unsigned>(*fails);
    } else if (const auto text = value_of(argument, "fail_timeout=");
               text && parse_duration(*text)) {
      server.fail_timeout = *parse_duration(*text);
    } else {
      return Loader::fail_at(d.arguments[i].place,
                             fmt::format("invalid parameter \"{}\" of \"server\"; weight=, "
                                         "max_fails=, fail_timeout=, backup and "
                                         "down are known",
                                         argument));
    }
  }
  auto endpoints = resolve_server(*address);
  if (!endpoints) return Loader::fail_at(d.arguments[0].place, endpoints.error().detail);
  server.endpoints = std::move(*endpoints);
  scope.own<UpstreamSettings>().spec.servers.push_back(std::move(server));
  return {};
}

Result<void> apply_keepalive(Loader& loader, Scope& scope, const Directive& d) {
  auto& settings = scope.own<UpstreamSettings>();
  if (settings.has_keepalive) return Loader::fail(d, "\"keepalive\" directive is duplicate");
  auto idle = loader.number(d);
  if (!idle) return idle.error();
  settings.has_keepalive = true;
  settings.spec.pool.idle = *idle;
  return {};
}

template <Duration PoolSettings::*Field>
Result<void> apply_pool_time(Loader& loader, Scope& scope, const Directive& d) {
  auto time = loader.duration(d);
  if (!time) return time.error();
  scope.own<UpstreamSettings>().spec.pool.*Field = *time;
  return {};
}

constexpr conf::Contexts kInUpstream = conf::only(conf::Context::Upstream);

const conf::DirectiveSpec kTable[] = {
    {.name = "upstream",
     .contexts = conf::only(conf::Context::Http),
     .arity = {1, 1, true},
     .syntax = "upstream name { ... }",
     .doc = "A group of servers that proxy_pass can name.",
     .apply = apply_upstream},
    {.name = "server",
     .contexts = kInUpstream,
     .arity = {1, conf::Arity::kAny},
     .syntax = "server address [weight=n] [max_fails=n] [fail_timeout=time] [backup] [down];",
     .doc = "One server of the group: a name or address with a port, or unix:/path. Names are "
            "looked up as the configuration loads.",
     .apply = apply_server},
    {.name = "keepalive",
     .contexts = kInUpstream,
     .arity = {1, 2},
     .syntax = "keepalive connections;",
     .fallback = "32",
     .doc = "How many idle connections to the group each event loop keeps. 0: none.",
     .apply = apply_keepalive,
     .note = "On by default, also for servers that proxy_pass names itself; nginx keeps none "
             "unless told."},
    {.name = "keepalive_requests",
     .contexts = kInUpstream,
     .arity = {1, 1},
     .syntax = "keepalive_requests number;",
     .fallback = "1000",
     .doc = "After so many requests a connection to the group closes.",
     .apply = [](Loader& loader, Scope& scope, const Directive& d) -> Result<void> {
       auto number = loader.number(d);
       if (!number) return number.error();
       scope.own<UpstreamSettings>().spec.pool.requests = *number;
       return {};
     }},
    {.name = "keepalive_timeout",
     .contexts = kInUpstream,
     .arity = {1, 1},
     .syntax = "keepalive_timeout time;",
     .fallback = "60s",
     .doc = "How long a connection to the group may be idle.",
     .apply = apply_pool_time<&PoolSettings::timeout>},
    {.name = "keepalive_time",
     .contexts = kInUpstream,
     .arity = {1, 1},
     .syntax = "keepalive_time time;",
     .fallback = "1h",
     .doc = "A connection to the group older than this closes after its request.",
     .apply = apply_pool_time<&PoolSettings::time>},
    {.name = "zone",
     .contexts = kInUpstream,
     .arity = {1, 2},
     .syntax = "zone name [size];",
     .doc = "Accepted: all event loops live in one process, no shared memory is needed."},
};

}  // namespace

void add_upstream_directives(conf::Schema& schema) {
  schema.add(kTable);
}

}  // namespace gatescope::upstream
