#include "proxy/upstream/upstream_directives.h"

#include <fmt/format.h>

#include "conf/setters.h"
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

/// The name of a service's records: nginx's rule.
std::string service_name(std::string_view service, std::string_view host) {
  if (service.find('.') != std::string_view::npos) return fmt::format("{}.{}", service, host);
  return fmt::format("_{}._tcp.{}", service, host);
}

/// `resolve` and `service=`. An address needs no resolver, whatever is said.
Result<void> set_watched(const Directive& d, const ProxyUrl& address, bool resolve,
                         std::string_view service, ServerSpec& server) {
  if (!service.empty() && !resolve)
    return Loader::fail(
        d, fmt::format("service upstream \"{}\" requires \"resolve\" parameter", d.arg(0)));
  if (!service.empty() && !address.port.empty())
    return Loader::fail(d, fmt::format("service upstream \"{}\" may not have port", d.arg(0)));
  const bool is_address = address.is_unix || net::Endpoint::ip(address.host, 1).ok();
  if (!service.empty() && is_address)
    return Loader::fail(d, fmt::format("service upstream \"{}\" requires domain name", d.arg(0)));
  if (!resolve || is_address) return {};
  server.watched = {.host = address.host,
                    .port = address.port_number(),
                    .service = service.empty() ? "" : service_name(service, address.host)};
  return {};
}

Result<void> apply_server(Loader& loader, Scope& scope, const Directive& d) {
  ServerSpec server;
  server.name = d.arg(0);
  auto address = parse_server_address(d.arg(0));
  if (!address) return Loader::fail_at(d.arguments[0].place, address.error().detail);
  bool resolve = false;
  std::string_view service;
  for (std::size_t i = 1; i < d.count(); ++i) {
    const auto argument = d.arg(i);
    const auto number = [&](std::string_view name) {
      const auto text = conf::value_of(argument, name);
      return text ? parse_unsigned(*text) : std::nullopt;
    };
    if (argument == "backup") {
      server.backup = true;
    } else if (argument == "down") {
      server.down = true;
    } else if (argument == "resolve") {
      resolve = true;
    } else if (const auto name = conf::value_of(argument, "service="); name && !name->empty()) {
      service = *name;
    } else if (const auto weight = number("weight="); weight && *weight > 0 && *weight <= 65535) {
      server.weight = static_cast<unsigned>(*weight);
    } else if (const auto fails = number("max_fails="); fails && *fails <= 65535) {
      server.max_fails = static_cast<unsigned>(*fails);
    } else if (const auto conns = number("max_conns="); conns && *conns <= 1'000'000) {
      server.max_conns = static_cast<unsigned>(*conns);
    } else if (const auto text = conf::value_of(argument, "fail_timeout=");
               text && parse_duration(*text)) {
      server.fail_timeout = *parse_duration(*text);
    } else if (const auto slow = conf::value_of(argument, "slow_start=");
               slow && parse_duration(*slow)) {
      server.slow_start = *parse_duration(*slow);
    } else {
      return Loader::fail_at(
          d.arguments[i].place,
          fmt::format("invalid parameter \"{}\" of \"server\"; weight=, "
                      "max_fails=, fail_timeout=, max_conns=, "
                      "slow_start=, service=, backup, down and resolve are known",
                      argument));
    }
  }
  if (auto set = set_watched(d, *address, resolve, service, server); !set) return set;
  if (!server.watched) {
    auto endpoints = loader.service<UpstreamModule>().look_up(*address);
    if (!endpoints) return Loader::fail_at(d.arguments[0].place, endpoints.error().detail);
    server.endpoints = std::move(*endpoints);
  }
  scope.own<UpstreamSettings>().spec.servers.push_back(std::move(server));
  return {};
}

Result<void> choose_by(Scope& scope, const Directive& d, Balancing balancing) {
  auto& settings = scope.own<UpstreamSettings>();
  if (settings.has_balancing)
    return Loader::fail(d, "the group has a load balancing method already; one is enough");
  settings.has_balancing = true;
  settings.spec.balancing = balancing;
  return {};
}

template <Balancing kind>
Result<void> apply_balancing(Loader&, Scope& scope, const Directive& d) {
  return choose_by(scope, d, kind);
}

Result<void> apply_hash(Loader& loader, Scope& scope, const Directive& d) {
  auto key = template_of(loader, d, 0);
  if (!key) return key.error();
  constexpr std::string_view kWords[] = {"consistent"};
  if (d.count() == 2)
    if (auto word = loader.choice(d, 1, kWords); !word) return word.error();
  scope.own<UpstreamSettings>().spec.hash_key = std::move(*key);
  return choose_by(scope, d, d.count() == 2 ? Balancing::ConsistentHash : Balancing::Hash);
}

Result<void> apply_random(Loader& loader, Scope& scope, const Directive& d) {
  constexpr std::string_view kTwo[] = {"two"};
  constexpr std::string_view kMethods[] = {"least_conn"};
  if (d.count() >= 1)
    if (auto word = loader.choice(d, 0, kTwo); !word) return word.error();
  if (d.count() >= 2)
    if (auto word = loader.choice(d, 1, kMethods); !word) return word.error();
  return choose_by(scope, d, d.count() >= 1 ? Balancing::RandomTwo : Balancing::Random);
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

const conf::DirectiveSpec kUpstreamDirectives[] = {
    {.name = "upstream",
     .contexts = conf::only(conf::Context::Http),
     .arity = {1, 1, true},
     .syntax = "upstream name { ... }",
     .doc = "A group of servers that proxy_pass can name.",
     .apply = apply_upstream},
    {.name = "server",
     .contexts = kInUpstream,
     .arity = {1, conf::Arity::kAny},
     .syntax = "server address [weight=n] [max_fails=n] [fail_timeout=time] [max_conns=n] "
               "[slow_start=time] [backup] [down] [resolve [service=name]];",
     .doc = "One server of the group: a name or address with a port, or unix:/path. Names are "
            "looked up as the configuration loads, and must be found. resolve: the name is asked "
            "for by the resolver while the program runs, whenever its answer has run out; one that "
            "is not found stops nothing, its server has no addresses until it is. service: by SRV "
            "records, which bring port, weight, and a priority: all but the lowest are backups.",
     .apply = apply_server,
     .note = "resolve needs no zone here."},
    {.name = "least_conn",
     .contexts = kInUpstream,
     .arity = {0, 0},
     .syntax = "least_conn;",
     .doc = "The server with the fewest requests under way for its weight.",
     .apply = apply_balancing<Balancing::LeastConn>},
    {.name = "ip_hash",
     .contexts = kInUpstream,
     .arity = {0, 0},
     .syntax = "ip_hash;",
     .doc = "By the client's address (of IPv4 the first three octets): a client keeps its server.",
     .apply = apply_balancing<Balancing::IpHash>,
     .note = "The hash is another one than nginx's: clients are spread otherwise."},
    {.name = "hash",
     .contexts = kInUpstream,
     .arity = {1, 2},
     .syntax = "hash key [consistent];",
     .doc = "By a text with variables. consistent: on a ring, so that a server more or less moves "
            "few keys.",
     .apply = apply_hash,
     .note = "The hash is another one than nginx's: keys are spread otherwise."},
    {.name = "random",
     .contexts = kInUpstream,
     .arity = {0, 2},
     .syntax = "random [two [least_conn]];",
     .doc = "By chance and weight; two: of two taken so the one with fewer requests.",
     .apply = apply_random},
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
     .doc = "Accepted: what is known of servers is shared by all event loops anyway, which live in "
            "one process."},
};

}  // namespace

void add_upstream_directives(conf::Schema& schema) {
  schema.add(kUpstreamDirectives);
}

}  // namespace gatescope::upstream
