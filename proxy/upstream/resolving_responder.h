#pragma once

#include <memory>

#include "proxy/http/handler.h"
#include "proxy/net/resolver.h"
#include "proxy/upstream/proxy_handler.h"

namespace gatescope::upstream {

/// A proxied request whose server is a name that variables made: waits for its addresses, then lets
/// a ProxyResponder do the rest. Owned by the Exchange; destroying it drops the question.
///   Resolving -> Passing;  Resolving -> Failed
/// Resolving has resolver_timeout, Passing the ProxyResponder's deadlines.
class ResolvingResponder final : public http::Responder, private net::ResolveEvents {
 public:
  ResolvingResponder(const ProxyHandler& handler, const http::Request& request,
                     http::ResponseWriter& writer, ProxyTarget target);
  void start(net::Resolver& resolver, Duration timeout);

  void on_body(std::span<const std::byte> data) override;
  void on_body_end() override;
  void on_writable() override;

 private:
  void on_resolved(const net::Resolved& resolved) override;
  void on_resolve_failed(const Error& error) override;

  // Constant after construction
  const ProxyHandler& handler_;
  const http::Request& request_;
  http::ResponseWriter& writer_;

  ProxyTarget target_;                             // Resolving
  std::unique_ptr<net::Resolver::Lookup> lookup_;  // null: not Resolving
  std::unique_ptr<http::Responder> passing_;       // null: not Passing
};

}  // namespace gatescope::upstream
