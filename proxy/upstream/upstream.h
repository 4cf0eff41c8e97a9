#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "conf/template.h"
#include "proxy/base/stats.h"
#include "proxy/net/endpoint.h"
#include "proxy/net/loop.h"
#include "proxy/net/resolver.h"
#include "proxy/upstream/balancer.h"
#include "proxy/upstream/connection_pool.h"

namespace gatescope::upstream {

/// One `server` of an upstream block, or what proxy_pass names itself.
struct ServerSpec {
  std::string name;                      // as written, for messages
  std::vector<net::Endpoint> endpoints;  // a name may have several
  unsigned weight = 1;
  unsigned max_fails = 1;        // 0: never counted as down
  unsigned max_conns = 0;        // 0: no bound
  Duration fail_timeout{10000};  // for so long it is left out, and within it failures add up
  Duration slow_start{0};
  bool backup = false, down = false;
  /// `resolve`: its addresses are asked for while the program runs, `endpoints` is empty.
  struct Watched {
    std::string host;        // a name
    std::uint16_t port = 0;  // of its addresses; not of a service's
    std::string service;     // the name of the SRV records; empty: `host` has addresses
    std::string key() const { return service.empty() ? host : "/srv " + service; }
  };
  std::optional<Watched> watched;
};

/// Everything that makes one group different from another; two that are equal share connections
/// over a reload.
struct UpstreamSpec {
  std::string name;
  std::vector<ServerSpec> servers;
  PoolSettings pool;
  Balancing balancing = Balancing::RoundRobin;
  conf::Template hash_key;         // of Hash and ConsistentHash
  std::string tls;                 // how its servers are spoken to; empty: in clear
  net::ResolverSettings resolver;  // of servers that are watched
  Duration resolver_timeout{30000};
  std::string key() const;
};

/// What is counted of a group. Null: it is one that a request named.
struct GroupCounters {
  Counter *requests = nullptr, *failures = nullptr;
};

/// A group as one event loop sees it: the balancer that all loops share, and idle connections of
/// its own. Owned by its Upstream, used by its loop only; ends with Upstream::forget_loop or with
/// the Upstream.
class UpstreamOnLoop {
 public:
  UpstreamOnLoop(Balancer& balancer, const PoolSettings& pool, const GroupCounters& counters,
                 net::Loop& loop);

  /// A peer that was chosen; good as long as it is used, and until choose() is called again.
  const PeerAddress& peer(std::size_t i) const { return *peers_[i]; }
  std::size_t size() const { return peers_.size(); }
  std::optional<std::size_t> choose(const TriedPeers& tried, std::string_view key = {},
                                    bool failed_too = false);
  void report(std::size_t peer, bool worked) {
    if (!worked && counters_.failures != nullptr) counters_.failures->add();
    balancer_.report(peer, worked, loop_.clock().now());
  }
  Balancer::Use use(std::size_t peer) {
    if (counters_.requests != nullptr) counters_.requests->add();
    return balancer_.use(peer);
  }
  /// Whether a peer is left that was not tried and is not `down`, healthy or not.
  bool has_untried(const TriedPeers& tried) const;
  ConnectionPool& pool() { return pool_; }
  /// Requests of this loop that wait until a peer can be connected.
  std::uint64_t waiting = 0;

 private:
  void look();

  // Constant after construction
  Balancer& balancer_;
  const GroupCounters& counters_;
  net::Loop& loop_;

  ConnectionPool pool_;
  std::uint64_t version_ = 0;   // of the balancer's peers that follow
  std::vector<bool> gone_;      // by peer
  std::vector<PeerPtr> peers_;  // one that is gone stays here until its number has another
};

/// What a watched name led to.
struct FoundPeer {
  net::Endpoint endpoint;
  unsigned weight = 0;  // of a service; 0: as the `server` line says
  bool backup = false;
};

/// A named group of servers, or the implicit one of a proxy_pass. Shared by generations and loops,
/// owned by UpstreamModule (or by a request, when variables named the server); constant but for the
/// loops' states and the peers of watched names.
class Upstream {
 public:
  explicit Upstream(UpstreamSpec spec, GroupCounters counters = {});
  const std::string& name() const { return spec_.name; }
  const UpstreamSpec& spec() const { return spec_; }
  Balancer& balancer() { return balancer_; }
  /// The addresses of a `server` that is watched. From any thread.
  bool set_peers(std::size_t server, const std::vector<FoundPeer>& found);
  Balancing balancing() const { return spec_.balancing; }
  const conf::Template& hash_key() const { return spec_.hash_key; }
  /// This loop's state, made when first asked for. From any loop's thread, for that loop.
  UpstreamOnLoop& on(net::Loop& loop);
  /// Drops that loop's state with its connections; on that loop's thread, when nothing uses it any
  /// more.
  void forget_loop(net::Loop& loop);

 private:
  const UpstreamSpec spec_;
  const GroupCounters counters_;
  Balancer balancer_;
  std::mutex mutex_;  // guards the list, not what it points to
  std::vector<std::pair<net::Loop*, std::unique_ptr<UpstreamOnLoop>>> loops_;
};

}  // namespace gatescope::upstream
