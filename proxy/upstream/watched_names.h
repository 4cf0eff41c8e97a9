#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "proxy/base/log.h"
#include "proxy/upstream/resolvers.h"
#include "proxy/upstream/upstream.h"

namespace gatescope::upstream {

class PeersEvents {
 public:
  virtual ~PeersEvents() = default;
  /// A name leads to other addresses now; on loop 0.
  virtual void on_peers_changed() = 0;
};

/// The names of `server NAME resolve`, each asked for again and again, once for all groups and
/// loops that use it. What a name led to last is kept over reloads. Owned by UpstreamModule.
class WatchedNames {
 public:
  explicit WatchedNames(Resolvers& resolvers, PeersEvents& events);
  ~WatchedNames();

  /// For a group that is made: what is known of its names already. From any thread.
  void prepare(Upstream& upstream);
  /// On loop 0: from now on the names of these groups are watched, and no others. The groups
  /// outlive it or the next call.
  void watch(net::Loop& loop, const std::vector<Upstream*>& groups, std::shared_ptr<Log> log);
  /// Not inside one of its events.
  void stop();
  std::size_t watched() const { return watches_.size(); }

 private:
  class Watch;
  /// An address or a service's, without the port where the `server` line has it.
  struct Found {
    net::Endpoint endpoint;
    unsigned weight = 0;
    bool backup = false;
  };
  using User = std::pair<Upstream*, std::size_t>;  // a `server` of a group

  static std::string key_of(const UpstreamSpec& spec, const ServerSpec& server);
  static void give(const std::vector<Found>& found, const User& user, bool& changed);
  void on_found(const std::string& key, std::vector<Found> found, const std::vector<User>& users);

  Resolvers& resolvers_;
  PeersEvents& events_;
  std::shared_ptr<Log> log_;  // shared with the generation that made it
  std::map<std::string, std::unique_ptr<Watch>> watches_;  // loop 0's; by key

  std::mutex mutex_;                                // guards what follows
  std::map<std::string, std::vector<Found>> last_;  // by key
};

}  // namespace gatescope::upstream
