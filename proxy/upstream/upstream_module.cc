#include "proxy/upstream/upstream_module.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proxy/upstream/proxy_handler.h"
#include "proxy/upstream/upstream_directives.h"
#include "proxy/upstream/upstream_variables.h"

namespace gatescope::upstream {

UpstreamModule::UpstreamModule(tls::SecretReader* secrets, net::DnsClients* dns, Stats* stats)
    : secrets_(secrets), stats_(stats), resolvers_(dns), names_(resolvers_, *this) {}
UpstreamModule::~UpstreamModule() = default;

void UpstreamModule::begin_load() {
  loading_ = {};
}

Result<std::vector<net::Endpoint>> UpstreamModule::look_up(const ProxyUrl& url) {
  if (url.is_unix) {
    auto endpoint = net::Endpoint::unix_path(std::string_view(url.host).substr(5));
    if (!endpoint) return endpoint.error();
    return std::vector{*endpoint};
  }
  if (auto address = net::Endpoint::ip(url.host, url.port_number())) return std::vector{*address};
  auto known = loading_.addresses.find(url.host);
  if (known == loading_.addresses.end())
    known = loading_.addresses.emplace(url.host, net::resolve_now(url.host, 0)).first;
  if (!known->second || known->second->empty())
    return make_error(ErrorKind::NotFound, Origin::Internal,
                      fmt::format("host not found in upstream \"{}\"", url.host_and_port()));
  auto found = *known->second;
  for (auto& endpoint : found)
    endpoint = endpoint.with_port(url.port_number());
  return found;
}

void UpstreamModule::add_directives(conf::Schema& schema) {
  add_proxy_directives(schema);
  add_upstream_directives(schema);
  add_resolver_directives(schema);
  add_health_directives(schema);
}

std::span<const http::VariableSpec> UpstreamModule::variables() {
  return upstream_variables();
}

/// The group of a proxy_pass that names a server itself.
Result<UpstreamSpec> UpstreamModule::implicit_spec(const ProxyPass& pass) {
  UpstreamSpec spec;
  spec.name = pass.url->host_and_port();
  auto endpoints = look_up(*pass.url);
  if (!endpoints) return conf::Loader::fail_at(pass.place, endpoints.error().detail);
  spec.servers.push_back({.name = spec.name, .endpoints = std::move(*endpoints)});
  return spec;
}

namespace {

/// The group of an upstream block.
UpstreamSpec spec_of(const conf::Scope& block) {
  auto spec = block.get<UpstreamSettings>().spec;
  const auto& resolver = block.get<ResolverConf>();
  spec.resolver = resolver.resolver.get();
  spec.resolver_timeout = resolver.timeout.get();
  return spec;
}

/// What cannot be judged while the block is read: the resolver may stand behind it.
Result<void> check_watched(const conf::Scope& block) {
  const auto& settings = block.get<UpstreamSettings>();
  for (const auto& server : settings.spec.servers)
    if (server.watched && block.get<ResolverConf>().resolver.get().servers.empty())
      return conf::Loader::fail_at(
          settings.place,
          fmt::format("no resolver defined to resolve names at run time in upstream \"{}\"",
                      settings.spec.name));
  return {};
}

/// The group as this proxy_pass uses it. Connections over TLS are kept apart from those in clear,
/// and from those that show or believe other certificates.
UpstreamSpec spoken_to(UpstreamSpec spec, const ProxySettings& settings, bool over_tls) {
  if (!over_tls) return spec;
  spec.tls = settings.tls.key();
  if (!settings.tls.name.get().is_literal()) spec.pool.idle = 0;  // names change with the request
  return spec;
}

}  // namespace

/// As nginx: what any proxy_pass names without variables is a group that one with variables finds,
/// without a resolver.
Result<void> UpstreamModule::add_implicit(const conf::Scope& scope, UpstreamsByName& by_name) {
  for (const auto& child : scope.children()) {
    if (auto added = add_implicit(*child, by_name); !added) return added;
    const auto* settings = child->find<ProxySettings>();
    if (!settings || !settings->pass || !settings->pass->url) continue;
    const auto& url = *settings->pass->url;
    const std::string prefix = url.is_tls ? kSecure : "";
    if (url.is_unix || by_name.contains(prefix + url.host_and_port()) ||
        by_name.contains(prefix + url.host))
      continue;
    auto spec = implicit_spec(*settings->pass);
    if (!spec) return spec.error();
    by_name[prefix + spec->name] = &find_or_make(spoken_to(*spec, *settings, url.is_tls));
  }
  return {};
}

Result<std::unique_ptr<http::Handler>> UpstreamModule::make(const conf::Scope& location) {
  const auto& settings = location.get<ProxySettings>();
  const auto& pass = *settings.pass;
  const conf::Scope* http = &location;
  while (http->parent() && http->context() != conf::Context::Http)
    http = http->parent();

  UpstreamsByName by_name;
  Upstream* upstream = nullptr;
  for (const auto& block : http->children()) {
    const auto* named = block->find<UpstreamSettings>();
    if (!named || named->spec.name.empty()) continue;
    const bool is_ours = pass.url && !pass.url->is_unix && named->spec.name == pass.url->host;
    if (pass.url && !is_ours) continue;
    if (auto checked = check_watched(*block); !checked) return checked.error();
    if (!pass.url) {
      by_name[named->spec.name] = &find_or_make(spec_of(*block));
      by_name[kSecure + named->spec.name] =
          &find_or_make(spoken_to(spec_of(*block), settings, true));
      continue;
    }
    if (!pass.url->port.empty())
      return conf::Loader::fail_at(pass.place, fmt::format("upstream \"{}\" may not have port {}",
                                                           pass.url->host, pass.url->port));
    upstream = &find_or_make(spoken_to(spec_of(*block), settings, pass.url->is_tls));
  }
  if (!pass.url) {
    if (auto added = add_implicit(*http, by_name); !added) return added.error();
  } else if (!upstream) {
    auto spec = implicit_spec(pass);
    if (!spec) return spec.error();
    upstream = &find_or_make(spoken_to(*std::move(spec), settings, pass.url->is_tls));
  }
  auto tls = make_tls(settings);
  if (!tls) return tls.error();
  if (auto added = add_check(location, *http, upstream, *tls); !added) return added.error();
  return std::unique_ptr<http::Handler>(
      std::make_unique<ProxyHandler>(settings, location.get<ResolverConf>(), resolvers_, upstream,
                                     std::move(by_name), *std::move(tls)));
}

Result<void> UpstreamModule::add_check(const conf::Scope& location, const conf::Scope& http,
                                       Upstream* group,
                                       const std::shared_ptr<const tls::ClientTls>& tls) {
  static const MatchRules kUsual;
  const auto& spec = location.get<HealthSettings>().check;
  if (!spec) return {};
  if (!group)
    return conf::Loader::fail_at(spec->place,
                                 "\"health_check\" needs a proxy_pass without variables");
  const auto* rules = &kUsual;
  if (!spec->match.empty()) {
    rules = nullptr;
    for (const auto& block : http.children())
      if (const auto* match = block->find<MatchSettings>(); match && match->name == spec->match)
        rules = &match->rules;
    if (!rules)
      return conf::Loader::fail_at(spec->place,
                                   fmt::format("no \"match {} {{ ... }}\" in http", spec->match));
  }
  loading_.checks.push_back({group, &*spec, rules, &location.get<ProxySettings>(), tls});
  return {};
}

/// Null where proxy_pass can only mean http.
Result<std::shared_ptr<const tls::ClientTls>> UpstreamModule::make_tls(
    const ProxySettings& settings) {
  const auto& pass = *settings.pass;
  if (pass.url && !pass.url->is_tls) return std::shared_ptr<const tls::ClientTls>();
  tls::OwnSecrets own;
  return tls::ClientTls::make(settings.tls.settings(pass.place), secrets_ ? *secrets_ : own);
}

/// Groups of one name count together: they differ in how their servers are spoken to, or are those
/// of an earlier configuration.
GroupCounters UpstreamModule::counters_of(const std::string& name) {
  if (stats_ == nullptr) return {};
  return {&stats_->counter("upstream_requests", "requests",
                           "Requests given to a server of an upstream group; one that is given to "
                           "another after a failure counts again.",
                           {{"upstream", name}}),
          &stats_->counter("upstream_failures", "requests",
                           "Requests that a server of an upstream group failed to answer.",
                           {{"upstream", name}})};
}

std::vector<UpstreamModule::GroupState> UpstreamModule::groups(MonoTime now) const {
  std::vector<GroupState> states;
  for (auto* group : serving_) {
    const auto fitness = group->balancer().fitness(now);
    const auto same = std::find_if(states.begin(), states.end(),
                                   [&](const auto& one) { return one.name == group->name(); });
    if (same == states.end()) {
      states.push_back({group->name(), fitness});
      continue;
    }
    same->fitness.usable = std::min(same->fitness.usable, fitness.usable);
    same->fitness.active += fitness.active;
  }
  return states;
}

Upstream& UpstreamModule::find_or_make(UpstreamSpec spec) {
  const std::lock_guard lock(mutex_);
  auto& held = upstreams_[spec.key()];
  if (!held) {
    auto counters = counters_of(spec.name);
    held = std::make_unique<Upstream>(std::move(spec), counters);
    names_.prepare(*held);
  }
  auto& groups = loading_.groups;
  if (std::find(groups.begin(), groups.end(), held.get()) == groups.end())
    groups.push_back(held.get());
  return *held;
}

void UpstreamModule::apply(net::Loop& loop, std::shared_ptr<const conf::Scope> main,
                           std::shared_ptr<Log> log) {
  auto loaded = std::exchange(loading_, {});
  home_ = &loop;
  names_.watch(loop, loaded.groups, log);
  serving_ = std::move(loaded.groups);
  checks_.run(loop, std::move(loaded.checks), std::move(main), std::move(log));
}

void UpstreamModule::on_peers_changed() {
  checks_.look();
}

void UpstreamModule::stop() {
  names_.stop();
  checks_.stop();
}

void UpstreamModule::forget_loop(net::Loop& loop) {
  if (&loop == home_) stop();
  resolvers_.forget_loop(loop);
  const std::lock_guard lock(mutex_);
  for (auto& [key, upstream] : upstreams_)
    upstream->forget_loop(loop);
}

std::size_t UpstreamModule::size() const {
  const std::lock_guard lock(mutex_);
  return upstreams_.size();
}

}  // namespace gatescope::upstream
