#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "proxy/base/log.h"
#include "proxy/upstream/health_settings.h"
#include "proxy/upstream/proxy_settings.h"
#include "proxy/upstream/upstream.h"

namespace gatescope::upstream {

/// A health_check of one location, and what it is made by. What it points to is the
/// configuration's.
struct GroupCheck {
  Upstream* group = nullptr;
  const HealthCheckSpec* spec = nullptr;
  const MatchRules* rules = nullptr;
  const ProxySettings* settings = nullptr;
  std::shared_ptr<const tls::ClientTls> tls;  // null: in clear
};

/// Active health checks of all groups. They run on loop 0 and tell the groups' balancers, which are
/// all loops'. What is known of a server outlives a reload, by the names of group and server. Owned
/// by UpstreamModule.
class HealthChecks {
 public:
  static constexpr std::size_t kMaxBody = 256 * 1024;  // as nginx says

  HealthChecks();
  ~HealthChecks();
  /// From now on these are made, and no others. `keeps` owns what the checks point to.
  void run(net::Loop& loop, std::vector<GroupCheck> checks, std::shared_ptr<const void> keeps,
           std::shared_ptr<Log> log);
  /// On loop 0: the peers of a group may have changed.
  void look();
  /// Not inside one of its events.
  void stop();
  std::size_t size() const { return peers_.size(); }

 private:
  class PeerCheck;
  friend class PeerCheck;
  struct Known {
    bool usable = true;
    bool checked = true;  // false: usable once its first check passes
  };
  static std::string name_of(const GroupCheck& check, const PeerAddress& peer);

  net::Loop* loop_ = nullptr;          // null: nothing runs
  std::shared_ptr<const void> keeps_;  // shared with the generation
  std::shared_ptr<Log> log_;           // shared with the generation
  std::vector<GroupCheck> checks_;
  std::vector<std::unique_ptr<PeerCheck>> peers_;
  std::map<std::string, Known> known_;  // of the configuration before, while run() is in it
  std::minstd_rand random_;
};

}  // namespace gatescope::upstream
