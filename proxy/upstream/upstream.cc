#include "proxy/upstream/upstream.h"

#include <fmt/format.h>

#include <random>

namespace gatescope::upstream {

std::string UpstreamSpec::key() const {
  std::string key = fmt::format("{} {} {} {} {} {} {} {}", name, tls, pool.idle, pool.requests,
                                pool.timeout.count(), pool.time.count(),
                                static_cast<int>(balancing), hash_key.text());
  for (const auto& s : servers) {
    key += fmt::format("; {} {} {} {} {} {} {} {}", s.name, s.weight, s.max_fails, s.max_conns,
                       s.fail_timeout.count(), s.slow_start.count(), s.backup, s.down);
    for (const auto& e : s.endpoints)
      key += " " + e.to_string();
  }
  return key;
}

UpstreamOnLoop::UpstreamOnLoop(const std::vector<PeerAddress>& peers, Balancer& balancer,
                               const PoolSettings& pool, net::Loop& loop)
    : peers_(peers), balancer_(balancer), loop_(loop), pool_(pool, loop) {}

bool UpstreamOnLoop::has_untried(const TriedPeers& tried) const {
  for (std::size_t i = 0; i < peers_.size(); ++i)
    if (!peers_[i].down && (i >= tried.size() || !tried[i])) return true;
  return false;
}

namespace {

std::vector<PeerAddress> addresses_of(const UpstreamSpec& spec) {
  std::vector<PeerAddress> peers;
  for (const auto& s : spec.servers)
    for (const auto& endpoint : s.endpoints)
      peers.push_back({endpoint, endpoint.to_string(), s.weight, s.max_fails, s.max_conns,
                       s.fail_timeout, s.slow_start, s.backup, s.down});
  return peers;
}

}  // namespace

Upstream::Upstream(UpstreamSpec spec)
    : spec_(std::move(spec)),
      peers_(addresses_of(spec_)),
      balancer_(peers_, spec_.balancing, std::random_device()()) {}

UpstreamOnLoop& Upstream::on(net::Loop& loop) {
  const std::lock_guard lock(mutex_);
  for (auto& [known, state] : loops_)
    if (known == &loop) return *state;
  return *loops_
              .emplace_back(&loop,
                            std::make_unique<UpstreamOnLoop>(peers_, balancer_, spec_.pool, loop))
              .second;
}

void Upstream::forget_loop(net::Loop& loop) {
  std::unique_ptr<UpstreamOnLoop> dropped;
  const std::lock_guard lock(mutex_);
  for (auto it = loops_.begin(); it != loops_.end(); ++it) {
    if (it->first != &loop) continue;
    dropped = std::move(it->second);
    loops_.erase(it);
    return;
  }
}

}  // namespace gatescope::upstream
