#include "proxy/upstream/resolving_responder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proxy/http/exchange.h"
#include "proxy/upstream/proxy_responder.h"

namespace gatescope::upstream {

namespace {

template <class Iterator>
void begin_anywhere(Iterator first, Iterator last, std::size_t turn) {
  const auto n = static_cast<std::size_t>(last - first);
  if (n > 1) std::rotate(first, first + static_cast<std::ptrdiff_t>(turn % n), last);
}

}  // namespace

ResolvingResponder::ResolvingResponder(const ProxyHandler& handler, const http::Request& request,
                                       http::ResponseWriter& writer, ProxyTarget target)
    : handler_(handler), request_(request), writer_(writer), target_(std::move(target)) {}

void ResolvingResponder::start(net::Resolver& resolver, Duration timeout) {
  // As while connecting: a client that leaves ends it.
  writer_.exchange().link().abort_on_client_end(!handler_.settings().ignore_client_abort.get());
  lookup_ = resolver.resolve(target_.url->host, net::Resolver::Ask::Addresses, timeout, *this);
}

void ResolvingResponder::on_resolved(const net::Resolved& resolved) {
  writer_.loop().discard(std::move(lookup_));
  UpstreamSpec spec;
  spec.name = target_.url->host_and_port();
  ServerSpec server{.name = spec.name, .endpoints = {}};
  for (const auto& address : resolved.addresses)
    server.endpoints.push_back(address.with_port(target_.url->port_number()));
  // As nginx: each family begins anywhere, so that requests are spread. Nothing is remembered here.
  const auto turn =
      static_cast<std::size_t>(writer_.loop().clock().now().time_since_epoch().count());
  auto& all = server.endpoints;
  const auto v6 = std::find_if(all.begin(), all.end(), [](const net::Endpoint& e) {
    return e.family() == net::Endpoint::Family::V6;
  });
  begin_anywhere(all.begin(), v6, turn);
  begin_anywhere(v6, all.end(), turn);
  spec.servers.push_back(std::move(server));
  spec.pool.idle = 0;
  target_.own = std::make_unique<Upstream>(std::move(spec));
  target_.upstream = target_.own.get();
  auto passing = std::make_unique<ProxyResponder>(handler_, request_, writer_, std::move(target_));
  auto& started = *passing;
  passing_ = std::move(passing);
  started.start();
}

void ResolvingResponder::on_resolve_failed(const Error& error) {
  writer_.loop().discard(std::move(lookup_));
  // 502 whatever it was, as in nginx: a name server that is late is not the upstream.
  const auto kind = error.kind == ErrorKind::Busy ? ErrorKind::Busy : ErrorKind::Unreachable;
  writer_.fail(
      make_error(kind, Origin::Upstream,
                 fmt::format("{} could not be resolved ({})", target_.url->host, error.detail)));
}

void ResolvingResponder::on_body(std::span<const std::byte> data) {
  if (passing_) passing_->on_body(data);
}

void ResolvingResponder::on_body_end() {
  if (passing_) passing_->on_body_end();
}

void ResolvingResponder::on_writable() {
  if (passing_) passing_->on_writable();
}

}  // namespace gatescope::upstream
