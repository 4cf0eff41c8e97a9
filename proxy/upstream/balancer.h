#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/spare.h"
#include "proxy/net/endpoint.h"

namespace gatescope::upstream {

/// One address that requests can be sent to. Constant.
struct PeerAddress {
  net::Endpoint endpoint;
  std::string name;  // "127.0.0.1:8081", "unix:/x": $upstream_addr
  unsigned weight = 1;
  unsigned max_fails = 1;  // 0: never counted as down
  unsigned max_conns = 0;  // requests at the same time; 0: no bound
  Duration fail_timeout{10000};
  Duration slow_start{0};  // from nothing to its weight after it was down; 0: at once
  bool backup = false, down = false;
  std::size_t server = 0;  // which `server` line of the group it comes from
};

/// A peer as those see it who choose among them. Null: it is gone, its number waits for another
/// one. Shared because the addresses of a name change while requests go to them.
using PeerPtr = std::shared_ptr<const PeerAddress>;

/// Which peers a request has tried already.
using TriedPeers = Spare::Vector<bool>;

/// How a group chooses: nginx's directives of the same names.
enum class Balancing { RoundRobin, LeastConn, IpHash, Hash, ConsistentHash, Random, RandomTwo };

/// Chooses peers of one group, for all loops: what one loop learns of a peer the others know. A
/// peer keeps its number for as long as it is of the group, and as somebody uses it. Any thread;
/// every call is short.
class Balancer {
 public:
  /// A request at a peer; counted until it is destroyed.
  class Use {
   public:
    Use() = default;
    Use(Balancer& balancer, std::size_t peer) : balancer_(&balancer), peer_(peer) {}
    Use(Use&& other) noexcept
        : balancer_(std::exchange(other.balancer_, nullptr)), peer_(other.peer_) {}
    Use& operator=(Use&& other) noexcept {
      std::swap(balancer_, other.balancer_);
      std::swap(peer_, other.peer_);
      return *this;
    }
    ~Use() {
      if (balancer_ != nullptr) balancer_->end(peer_);
    }

   private:
    Balancer* balancer_ = nullptr;
    std::size_t peer_ = 0;
  };

  /// `seed`: of what is left to chance.
  Balancer(const std::vector<PeerAddress>& peers, Balancing balancing, std::uint32_t seed);

  /// A peer that is neither down, failed, full nor tried; backups when no other is left. `key`:
  /// what IpHash (an address) and the hashes go by. `failed_too`: those that failed a moment ago
  /// are as good as others. nullopt: no live upstreams.
  std::optional<std::size_t> choose(const TriedPeers& tried, std::string_view key, MonoTime now,
                                    bool failed_too = false);
  Use use(std::size_t peer);
  /// How a try went: failures within fail_timeout take a peer out (passive health check). A single
  /// peer is never taken out.
  void report(std::size_t peer, bool worked, MonoTime now);
  std::size_t active(std::size_t peer) const;
  /// How the group fares, for whoever shows it: servers that are used in turn, and those of them
  /// that neither failed a moment ago nor are forbidden. `down` ones and backups count in neither.
  struct Fitness {
    std::size_t servers = 0, usable = 0, active = 0;
  };
  Fitness fitness(MonoTime now) const;

  /// Changes with the peers.
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }
  std::vector<PeerPtr> peers(std::uint64_t& version) const;
  /// The peers of one `server` are these now. Those that were there stay what they are; a number
  /// that nobody uses any more is given to a new one. False: nothing changed.
  bool replace(std::size_t server, const std::vector<PeerAddress>& wanted);
  /// One of the active health checks says that a peer may (not) be used any more. Each says no
  /// before it says yes.
  void forbid(std::size_t peer);
  void permit(std::size_t peer, MonoTime now);

 private:
  struct Health {
    long current_weight = 0, effective_weight = 1;
    unsigned fails = 0;
    std::size_t active = 0;
    MonoTime accessed{}, checked{};  // last failure; last time it was let try again
    MonoTime recovered{};            // slow_start counts from here; zero: was never down
    unsigned forbidden = 0;          // by so many health checks
  };
  using Usable = std::vector<std::size_t>;
  void end(std::size_t peer);
  void prepare();
  std::size_t number_for_new();
  void find_usable(bool backups, const TriedPeers& tried, MonoTime now, bool failed_too);
  long weight_of(std::size_t peer, MonoTime now) const;
  std::size_t choose_from(const Usable& usable, std::string_view key, MonoTime now);
  std::size_t round_robin(const Usable& among, MonoTime now);
  std::size_t least_conn(const Usable& among, MonoTime now);
  template <class Draws>
  std::size_t keyed(const Usable& among, Draws draws, MonoTime now);
  std::size_t weighted(const Usable& among, std::uint64_t point, MonoTime now) const;
  std::size_t on_ring(const Usable& among, std::string_view key);
  std::size_t two_choices(const Usable& among, MonoTime now);

  // Constant after construction
  const Balancing balancing_;

  std::atomic<std::uint64_t> version_{1};
  mutable std::mutex mutex_;  // guards what follows
  std::vector<PeerPtr> peers_;
  std::vector<Health> health_;  // by peer
  bool single_ = false;         // one peer that is no backup: nothing is better than trying it
  Usable among_;                // of the choice being made; its memory is kept
  std::minstd_rand random_;
  std::vector<std::pair<std::uint64_t, std::size_t>> ring_;  // ConsistentHash: point, peer; sorted
};

}  // namespace gatescope::upstream
