#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/loop.h"

namespace gatescope::upstream {

/// keepalive, keepalive_requests, keepalive_timeout, keepalive_time of an upstream block; nginx's
/// defaults but for `idle`.
struct PoolSettings {
  std::size_t idle = 32;          // connections kept per loop; 0: none
  std::uint64_t requests = 1000;  // then a connection closes
  Duration timeout{60000};        // idle for so long
  Duration time{3600000};         // since it was made
};

/// A connection to a peer together with what it has done so far.
struct PooledStream {
  std::unique_ptr<net::Stream> stream;
  std::uint64_t requests = 0;  // finished ones; 0: fresh
  MonoTime made{};
  std::string from;  // where it was told to come from; empty: nowhere in particular
  bool reused() const { return requests > 0; }
};

/// Idle keep-alive connections of one upstream on one loop. Each is read all the time: one that
/// becomes readable or fails while idle was closed by the peer (or babbles) and is dropped. Owned
/// by UpstreamOnLoop.
class ConnectionPool {
 public:
  ConnectionPool(const PoolSettings& settings, net::Loop& loop);
  ~ConnectionPool();
  bool enabled() const { return settings_.idle > 0; }
  /// The connection to that peer, and `from` there, which was used last; an empty one when there is
  /// none. It is being read already.
  PooledStream take(std::size_t peer, std::string_view from = {});
  /// After a complete exchange (`requests` counts it). Closes it when it is too old, or the one
  /// idle longest when too many are.
  void give_back(std::size_t peer, PooledStream connection);
  /// That number stands for nobody, or somebody else, now: its connections close.
  void forget(std::size_t peer);
  std::size_t size() const { return idle_.size(); }

 private:
  class Idle;
  void drop(Idle& idle);

  // Constant after construction
  const PoolSettings settings_;
  net::Loop& loop_;

  std::vector<std::unique_ptr<Idle>> idle_;  // oldest first
};

}  // namespace gatescope::upstream
