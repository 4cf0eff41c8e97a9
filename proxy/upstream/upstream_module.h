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
#include "proxy/upstream/health_checks.h"
#include "proxy/upstream/proxy_handler.h"
#include "proxy/upstream/proxy_settings.h"
#include "proxy/upstream/upstream.h"
#include "proxy/upstream/watched_names.h"

namespace gatescope::upstream {

/// proxy_pass and upstream blocks. Owned by Server, survives reloads: a group that is the same
/// after a reload keeps its idle connections and what it knows of its servers' health. Groups that
/// no configuration names any more stay as a few bytes; their idle connections close by themselves.
class UpstreamModule final : public http::HandlerMaker, private PeersEvents {
 public:
  /// `secrets` reads keys; null: with own rights only. `dns`: null, the real one.
  /// `stats`: null, nothing is counted.
  explicit UpstreamModule(tls::SecretReader* secrets = nullptr, net::DnsClients* dns = nullptr,
                          Stats* stats = nullptr);
  ~UpstreamModule() override;
  void add_directives(conf::Schema& schema);
  static std::span<const http::VariableSpec> variables();

  // Loading, one configuration at a time, on a worker thread
  void begin_load();
  /// Every address of a server (blocking; each name once a load): `host not found in upstream "x"`.
  Result<std::vector<net::Endpoint>> look_up(const ProxyUrl& url);
  /// Upstream blocks are looked for in the location's http block, wherever they stand in it.
  Result<std::unique_ptr<http::Handler>> make(const conf::Scope& location) override;

  /// On loop 0, when the configuration that was loaded last serves: its names are watched and its
  /// servers checked from now on. `main` owns what was loaded.
  void apply(net::Loop& loop, std::shared_ptr<const conf::Scope> main, std::shared_ptr<Log> log);
  /// On loop 0: nothing is watched and checked any more. Not inside an event of a check.
  void stop();
  /// Before a loop ends, on its thread, when its exchanges are gone: closes its idle connections.
  void forget_loop(net::Loop& loop);
  std::size_t size() const;
  /// On loop 0: the groups of the configuration that serves, each under its name once.
  struct GroupState {
    std::string name;
    Balancer::Fitness fitness;
  };
  std::vector<GroupState> groups(MonoTime now) const;

 private:
  /// What the configuration that is being loaded wants; apply() takes it.
  struct Loading {
    std::unordered_map<std::string, Result<std::vector<net::Endpoint>>> addresses;  // by host
    std::vector<Upstream*> groups;
    std::vector<GroupCheck> checks;
  };

  GroupCounters counters_of(const std::string& name);
  void on_peers_changed() override;
  Upstream& find_or_make(UpstreamSpec spec);
  Result<UpstreamSpec> implicit_spec(const ProxyPass& pass);
  Result<void> add_implicit(const conf::Scope& scope, UpstreamsByName& by_name);
  Result<std::shared_ptr<const tls::ClientTls>> make_tls(const ProxySettings& settings);
  Result<void> add_check(const conf::Scope& location, const conf::Scope& http, Upstream* group,
                         const std::shared_ptr<const tls::ClientTls>& tls);

  tls::SecretReader* const secrets_;
  Stats* const stats_;
  net::Loop* home_ = nullptr;  // loop 0; null before apply()
  Resolvers resolvers_;
  WatchedNames names_;
  HealthChecks checks_;
  Loading loading_;
  std::vector<Upstream*> serving_;  // since apply()
  mutable std::mutex mutex_;        // make() and forget_loop() come from different threads
  std::unordered_map<std::string, std::unique_ptr<Upstream>> upstreams_;  // by UpstreamSpec::key()
};

}  // namespace gatescope::upstream
