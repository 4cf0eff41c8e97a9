#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "proxy/net/endpoint.h"
#include "proxy/net/loop.h"
#include "proxy/upstream/connection_pool.h"

namespace gatescope::upstream {

/// One `server` of an upstream block, or what proxy_pass names itself.
struct ServerSpec {
  std::string name;                      // as written, for messages
  std::vector<net::Endpoint> endpoints;  // a name may have several
  unsigned weight = 1;
  unsigned max_fails = 1;        // 0: never counted as down
  Duration fail_timeout{10000};  // for so long it is left out, and within it failures add up
  bool backup = false, down = false;
};

/// Everything that makes one group different from another; two that are equal share connections
/// over a reload.
struct UpstreamSpec {
  std::string name;
  std::vector<ServerSpec> servers;
  PoolSettings pool;
  std::string key() const;
};

/// One address that requests can be sent to. Constant.
struct PeerAddress {
  net::Endpoint endpoint;
  std::string name;  // "127.0.0.1:8081", "unix:/x": $upstream_addr
  unsigned weight = 1, max_fails = 1;
  Duration fail_timeout{10000};
  bool backup = false, down = false;
};

/// Which peers a request has tried already.
using TriedPeers = std::vector<bool>;

/// A group as one event loop sees it: the balancer's state and the idle connections. Owned by its
/// Upstream, used by its loop only; ends with Upstream::forget_loop or with the Upstream.
class UpstreamOnLoop {
 public:
  UpstreamOnLoop(const std::vector<PeerAddress>& peers, const PoolSettings& pool, net::Loop& loop);

  const PeerAddress& peer(std::size_t i) const { return peers_[i]; }
  std::size_t size() const { return peers_.size(); }
  /// nginx's smooth weighted round robin over peers that are neither down, failed nor tried;
  /// backups when no other is left. nullopt: no live upstreams.
  std::optional<std::size_t> choose(const TriedPeers& tried);
  /// How a try went: failures within fail_timeout take a peer out (passive health check). A single
  /// peer is never taken out.
  void report(std::size_t peer, bool worked);
  ConnectionPool& pool() { return pool_; }

 private:
  struct Health {
    long current_weight = 0, effective_weight = 1;
    unsigned fails = 0;
    MonoTime accessed{}, checked{};  // last failure; last time it was let try again
  };
  bool usable(std::size_t i, const TriedPeers& tried) const;
  std::optional<std::size_t> choose_among(bool backups, const TriedPeers& tried);

  // Constant after construction
  const std::vector<PeerAddress>& peers_;
  net::Loop& loop_;
  bool single_;  // one peer that is no backup: there is nothing better than trying it

  std::vector<Health> health_;  // by peer
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
  /// This loop's state, made when first asked for. From any loop's thread, for that loop.
  UpstreamOnLoop& on(net::Loop& loop);
  /// Drops that loop's state with its connections; on that loop's thread, when nothing uses it any
  /// more.
  void forget_loop(net::Loop& loop);

 private:
  const UpstreamSpec spec_;
  std::vector<PeerAddress> peers_;
  std::mutex mutex_;  // guards the list, not what it points to
  std::vector<std::pair<net::Loop*, std::unique_ptr<UpstreamOnLoop>>> loops_;
};

}  // namespace gatescope::upstream
