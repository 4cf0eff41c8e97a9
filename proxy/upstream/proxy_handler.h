#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "proxy/http/handler.h"
#include "proxy/upstream/proxy_settings.h"
#include "proxy/upstream/resolver_settings.h"
#include "proxy/upstream/resolvers.h"
#include "proxy/upstream/upstream.h"

namespace gatescope::upstream {

/// The upstream blocks of one configuration by name, for proxy_pass with variables.
inline constexpr const char* kSecure = "https://";
using UpstreamsByName = std::unordered_map<std::string, Upstream*>;

/// Where one request goes.
struct ProxyTarget {
  const ProxyUrl* url = nullptr;      // the configuration's, or own_url
  std::unique_ptr<ProxyUrl> own_url;  // what variables named; null: there were none
  Upstream* upstream = nullptr;       // null: the host is a name to ask the resolver for
  std::unique_ptr<Upstream>
      own;  // when variables named an address: this request's alone, keeps no connections
  std::shared_ptr<const tls::ClientTls> tls;  // null: http
};

/// proxy_pass of one location. Immutable, shared by all loops; owned by its Location. The Upstreams
/// are UpstreamModule's and outlive it.
class ProxyHandler final : public http::Handler {
 public:
  /// `upstream`: of a proxy_pass without variables, else null. `tls`: for https; null: the
  /// proxy_pass can only mean http. `resolvers` outlives it.
  ProxyHandler(const ProxySettings& settings, const ResolverConf& resolver, Resolvers& resolvers,
               Upstream* upstream, UpstreamsByName by_name,
               std::shared_ptr<const tls::ClientTls> tls);
  http::HandlerKind kind() const override { return http::HandlerKind::Proxy; }
  std::unique_ptr<http::Responder> start(const http::Request& request,
                                         http::ResponseWriter& writer) const override;

  const ProxySettings& settings() const { return settings_; }
  Result<ProxyTarget> target(http::Exchange& exchange) const;

 private:
  const ProxySettings& settings_;  // the scope's: as old as the generation
  const ResolverConf& resolver_;   // the scope's too
  Resolvers& resolvers_;
  Upstream* const upstream_;
  const UpstreamsByName by_name_;  // those for https have "https://" before their names
  const std::shared_ptr<const tls::ClientTls> tls_;
};

}  // namespace gatescope::upstream
