#include "proxy/upstream/proxy_handler.h"

#include <fmt/format.h>

#include "proxy/http/exchange.h"
#include "proxy/upstream/proxy_responder.h"
#include "proxy/upstream/resolving_responder.h"

namespace gatescope::upstream {

ProxyHandler::ProxyHandler(const ProxySettings& settings, const ResolverConf& resolver,
                           Resolvers& resolvers, Upstream* upstream, UpstreamsByName by_name,
                           std::shared_ptr<const tls::ClientTls> tls)
    : settings_(settings),
      resolver_(resolver),
      resolvers_(resolvers),
      upstream_(upstream),
      by_name_(std::move(by_name)),
      tls_(std::move(tls)) {}

Result<ProxyTarget> ProxyHandler::target(http::Exchange& exchange) const {
  ProxyTarget target;
  if (upstream_) {
    target.url = &*settings_.pass->url;
    target.upstream = upstream_;
    target.tls = tls_;
    return target;
  }
  const auto text = settings_.pass->target.evaluate(exchange, exchange.arena());
  auto url = parse_proxy_url(text);
  if (!url)
    return make_error(ErrorKind::Internal, Origin::Internal,
                      fmt::format("{} in \"{}\"", url.error().detail, text));
  target.own_url = std::make_unique<ProxyUrl>(std::move(*url));
  target.url = target.own_url.get();
  if (target.url->is_tls) target.tls = tls_;
  const std::string name = (target.url->is_tls ? kSecure : "") + target.url->host_and_port();
  if (const auto named = by_name_.find(name); named != by_name_.end()) {
    target.upstream = named->second;
    return target;
  }
  auto endpoint = target.url->is_unix
                      ? net::Endpoint::unix_path(std::string_view(target.url->host).substr(5))
                      : net::Endpoint::ip(target.url->host, target.url->port_number());
  if (!endpoint && !target.url->is_unix) {
    if (!resolver_.resolver.get().servers.empty()) return target;
    return make_error(ErrorKind::Unreachable, Origin::Upstream,
                      fmt::format("no resolver defined to resolve {}", target.url->host));
  }
  if (!endpoint) return endpoint.error();
  UpstreamSpec spec;
  spec.name = target.url->host_and_port();
  spec.servers.push_back({.name = spec.name, .endpoints = {*endpoint}});
  spec.pool.idle = 0;
  target.own = std::make_unique<Upstream>(std::move(spec));
  target.upstream = target.own.get();
  return target;
}

std::unique_ptr<http::Responder> ProxyHandler::start(const http::Request& request,
                                                     http::ResponseWriter& writer) const {
  auto target = this->target(writer.exchange());
  if (!target) {
    writer.fail(target.error());
    return nullptr;
  }
  if (!target->upstream) {
    auto resolving =
        std::make_unique<ResolvingResponder>(*this, request, writer, std::move(*target));
    resolving->start(resolvers_.on(writer.loop(), resolver_.resolver.get()),
                     resolver_.timeout.get());
    return resolving;
  }
  auto responder = std::make_unique<ProxyResponder>(*this, request, writer, std::move(*target));
  responder->start();
  return responder;
}

}  // namespace gatescope::upstream
