#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "proxy/net/resolver.h"

namespace gatescope::upstream {

/// The resolvers of all loops, by what `resolver` says: each loop has its own, with its own cache.
/// Owned by UpstreamModule; survives reloads. One that no configuration names any more stays, with
/// at most Resolver::kMaxNames names.
class Resolvers {
 public:
  /// `clients` outlives it; null: the real ones.
  explicit Resolvers(net::DnsClients* clients) : clients_(clients ? *clients : ares_) {}
  /// From any loop's thread, for that loop. `settings` names servers.
  net::Resolver& on(net::Loop& loop, const net::ResolverSettings& settings);
  /// On that loop's thread, when its lookups are gone.
  void forget_loop(net::Loop& loop);

 private:
  net::AresClients ares_;
  net::DnsClients& clients_;
  std::mutex mutex_;  // guards the map, not what it points to
  std::map<std::pair<net::Loop*, std::string>, std::unique_ptr<net::Resolver>> resolvers_;
};

}  // namespace gatescope::upstream
