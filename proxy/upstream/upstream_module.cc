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

}  // namespace

/// As nginx: what any proxy_pass names without variables is a group that one with variables finds,
/// without a resolver.
Result<void> UpstreamModule::add_implicit(const conf::Scope& scope, UpstreamsByName& by_name) {
  for (const auto& child : scope.children()) {
    if (auto added = add_implicit(*child, by_name); !added) return added;
    const auto* settings = child->find<ProxySettings>();
    if (!settings || !settings->pass || !settings->pass->url) continue;
    const auto& url = *settings->pass->url;
    if (url.is_unix || by_name.contains(url.host_and_port()) || by_name.contains(url.host))
      continue;
    auto spec = implicit_spec(*settings->pass);
    if (!spec) return spec.error();
    by_name[spec->name] = &find_or_make(*spec);
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
    } else if (!pass.url->is_unix && named->spec.name == pass.url->host) {
      if (!pass.url->port.empty())
        return conf::Loader::fail_at(pass.place, fmt::format("upstream \"{}\" may not have port {}",
                                                             pass.url->host, pass.url->port));
      upstream = &find_or_make(named->spec);
    }
  }
  if (!pass.url) {
    if (auto added = add_implicit(*http, by_name); !added) return added.error();
  } else if (!upstream) {
    auto spec = implicit_spec(pass);
    if (!spec) return spec.error();
    upstream = &find_or_make(std::move(*spec));
  }
  return std::unique_ptr<http::Handler>(
      std::make_unique<ProxyHandler>(settings, upstream, std::move(by_name)));
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
