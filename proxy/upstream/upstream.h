#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "conf/template.h"
#include "proxy/net/endpoint.h"
#include "proxy/net/loop.h"
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
};

/// Everything that makes one group different from another; two that are equal share connections
/// over a reload.
struct UpstreamSpec {
  std::string name;
  std::vector<ServerSpec> servers;
  PoolSettings pool;
  Balancing balancing = Balancing::RoundRobin;
  conf::Template hash_key;  // of Hash and ConsistentHash
  std::string tls;          // how its servers are spoken to; empty: in clear
  std::string key() const;
};

/// A group as one event loop sees it: the balancer that all loops share, and idle connections of
/// its own. Owned by its Upstream, used by its loop only; ends with Upstream::forget_loop or with
/// the Upstream.
class UpstreamOnLoop {
 public:
  UpstreamOnLoop(const std::vector<PeerAddress>& peers, Balancer& balancer,
                 const PoolSettings& pool, net::Loop& loop);

  const PeerAddress& peer(std::size_t i) const { return peers_[i]; }
  std::size_t size() const { return peers_.size(); }
  std::optional<std::size_t> choose(const TriedPeers& tried, std::string_view key = {},
                                    bool failed_too = false) {
    return balancer_.choose(tried, key, loop_.clock().now(), failed_too);
  }
  void report(std::size_t peer, bool worked) {
    balancer_.report(peer, worked, loop_.clock().now());
  }
  Balancer::Use use(std::size_t peer) { return balancer_.use(peer); }
  /// Whether a peer is left that was not tried and is not `down`, healthy or not.
  bool has_untried(const TriedPeers& tried) const;
  ConnectionPool& pool() { return pool_; }
  /// Requests of this loop that wait until a peer can be connected.
  std::uint64_t waiting = 0;

 private:
  // Constant after construction
  const std::vector<PeerAddress>& peers_;
  Balancer& balancer_;
  net::Loop& loop_;

  ConnectionPool pool_;
};

/// A named group of servers, or the implicit one of a proxy_pass. Shared by generations and loops,
/// owned by UpstreamModule (or by a request, when variables named the server); constant but for the
/// loops' states.
class Upstream {
 public:
  explicit Upstream(UpstreamSpec spec);
  const std::string& name() const { return spec_.name; }
  const std::vector<PeerAddress>& peers() const { return peers_; }
  Balancing balancing() const { return spec_.balancing; }
  const conf::Template& hash_key() const { return spec_.hash_key; }
  /// This loop's state, made when first asked for. From any loop's thread, for that loop.
  UpstreamOnLoop& on(net::Loop& loop);
  /// Drops that loop's state with its connections; on that loop's thread, when nothing uses it any
  /// more.
  void forget_loop(net::Loop& loop);

 private:
  const UpstreamSpec spec_;
  const std::vector<PeerAddress> peers_;
  Balancer balancer_;
  std::mutex mutex_;  // guards the list, not what it points to
  std::vector<std::pair<net::Loop*, std::unique_ptr<UpstreamOnLoop>>> loops_;
};

}  // namespace gatescope::upstream
