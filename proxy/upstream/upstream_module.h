#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "conf/schema.h"
#include "proxy/http/core_settings.h"
#include "proxy/http/variables.h"
#include "proxy/upstream/proxy_handler.h"
#include "proxy/upstream/proxy_settings.h"
#include "proxy/upstream/upstream.h"

namespace gatescope::upstream {

/// proxy_pass and upstream blocks. Owned by Server, survives reloads: a group that is the same
/// after a reload keeps its idle connections and what it knows of its servers' health. Groups that
/// no configuration names any more stay as a few bytes; their idle connections close by themselves.
class UpstreamModule final : public http::HandlerMaker {
 public:
  /// `secrets` reads keys; null: with own rights only.
  explicit UpstreamModule(tls::SecretReader* secrets = nullptr) : secrets_(secrets) {}
  void add_directives(conf::Schema& schema);
  static std::span<const http::VariableSpec> variables();
  /// On a worker thread. Upstream blocks are looked for in the location's http block, wherever they
  /// stand in it.
  Result<std::unique_ptr<http::Handler>> make(const conf::Scope& location) override;
  /// Before a loop ends, on its thread, when its exchanges are gone: closes its idle connections.
  void forget_loop(net::Loop& loop);
  std::size_t size() const;

 private:
  Upstream& find_or_make(UpstreamSpec spec);
  Result<void> add_implicit(const conf::Scope& scope, UpstreamsByName& by_name);
  Result<std::shared_ptr<const tls::ClientTls>> make_tls(const ProxySettings& settings);

  tls::SecretReader* const secrets_;
  mutable std::mutex mutex_;  // make() and forget_loop() come from different threads
  std::unordered_map<std::string, std::unique_ptr<Upstream>> upstreams_;  // by UpstreamSpec::key()
};

/// Every address of a server (blocking): `host not found in upstream "x"`.
Result<std::vector<net::Endpoint>> resolve_server(const ProxyUrl& url);

}  // namespace gatescope::upstream
