#include "proxy/upstream/upstream_module.h"

#include <fmt/format.h>

#include "proxy/upstream/proxy_handler.h"
#include "proxy/upstream/upstream_directives.h"
#include "proxy/upstream/upstream_variables.h"

namespace gatescope::upstream {

Result<std::vector<net::Endpoint>> resolve_server(const ProxyUrl& url) {
  if (url.is_unix) {
    auto endpoint = net::Endpoint::unix_path(std::string_view(url.host).substr(5));
    if (!endpoint) return endpoint.error();
    return std::vector{*endpoint};
  }
  if (auto address = net::Endpoint::ip(url.host, url.port_number())) return std::vector{*address};
  auto found = net::resolve_now(url.host, url.port_number());
  if (!found || found->empty())
    return make_error(ErrorKind::NotFound, Origin::Internal,
                      fmt::format("host not found in upstream \"{}\"", url.host_and_port()));
  return found;
}

void UpstreamModule::add_directives(conf::Schema& schema) {
  add_proxy_directives(schema);
  add_upstream_directives(schema);
}

std::span<const http::VariableSpec> UpstreamModule::variables() {
  return upstream_variables();
}

namespace {

/// The group of a proxy_pass that names a server itself.
Result<UpstreamSpec> implicit_spec(const ProxyPass& pass) {
  UpstreamSpec spec;
  spec.name = pass.url->host_and_port();
  auto endpoints = resolve_server(*pass.url);
  if (!endpoints) return conf::Loader::fail_at(pass.place, endpoints.error().detail);
  spec.servers.push_back({.name = spec.name, .endpoints = std::move(*endpoints)});
  return spec;
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
    if (!pass.url) {
      by_name[named->spec.name] = &find_or_make(named->spec);
      by_name[kSecure + named->spec.name] = &find_or_make(spoken_to(named->spec, settings, true));
    } else if (!pass.url->is_unix && named->spec.name == pass.url->host) {
      if (!pass.url->port.empty())
        return conf::Loader::fail_at(pass.place, fmt::format("upstream \"{}\" may not have port {}",
                                                             pass.url->host, pass.url->port));
      upstream = &find_or_make(spoken_to(named->spec, settings, pass.url->is_tls));
    }
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
  return std::unique_ptr<http::Handler>(
      std::make_unique<ProxyHandler>(settings, upstream, std::move(by_name), *std::move(tls)));
}

/// Null where proxy_pass can only mean http.
Result<std::shared_ptr<const tls::ClientTls>> UpstreamModule::make_tls(
    const ProxySettings& settings) {
  const auto& pass = *settings.pass;
  if (pass.url && !pass.url->is_tls) return std::shared_ptr<const tls::ClientTls>();
  tls::OwnSecrets own;
  return tls::ClientTls::make(settings.tls.settings(pass.place), secrets_ ? *secrets_ : own);
}

Upstream& UpstreamModule::find_or_make(UpstreamSpec spec) {
  const std::lock_guard lock(mutex_);
  auto& held = upstreams_[spec.key()];
  if (!held) held = std::make_unique<Upstream>(std::move(spec));
  return *held;
}

void UpstreamModule::forget_loop(net::Loop& loop) {
  const std::lock_guard lock(mutex_);
  for (auto& [key, upstream] : upstreams_)
    upstream->forget_loop(loop);
}

std::size_t UpstreamModule::size() const {
  const std::lock_guard lock(mutex_);
  return upstreams_.size();
}

}  // namespace gatescope::upstream
