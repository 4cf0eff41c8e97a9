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
    if (s.watched)
      key += fmt::format(" watched {} {} {} {}", s.watched->key(), s.watched->port, resolver.key(),
                         resolver_timeout.count());
  }
  return key;
}

UpstreamOnLoop::UpstreamOnLoop(Balancer& balancer, const PoolSettings& pool,
                               const GroupCounters& counters, net::Loop& loop)
    : balancer_(balancer), counters_(counters), loop_(loop), pool_(pool, loop) {
  look();
}

/// What names lead to may have changed.
void UpstreamOnLoop::look() {
  if (version_ == balancer_.version()) return;
  auto peers = balancer_.peers(version_);
  gone_.resize(peers.size());
  for (std::size_t i = 0; i < peers.size(); ++i) {
    gone_[i] = !peers[i];
    if (i < peers_.size()) {
      if (!peers[i] || !(peers[i]->endpoint == peers_[i]->endpoint)) pool_.forget(i);
      if (!peers[i]) peers[i] = peers_[i];
    } else if (!peers[i]) {
      static const auto kNobody = std::make_shared<const PeerAddress>();
      peers[i] = kNobody;
    }
  }
  peers_ = std::move(peers);
}

std::optional<std::size_t> UpstreamOnLoop::choose(const TriedPeers& tried, std::string_view key,
                                                  bool failed_too) {
  const auto peer = balancer_.choose(tried, key, loop_.clock().now(), failed_too);
  look();
  return peer;
}

bool UpstreamOnLoop::has_untried(const TriedPeers& tried) const {
  for (std::size_t i = 0; i < peers_.size(); ++i)
    if (!gone_[i] && !peers_[i]->down && (i >= tried.size() || !tried[i])) return true;
  return false;
}

namespace {

PeerAddress peer_of(const ServerSpec& s, std::size_t server, const FoundPeer& found) {
  return {found.endpoint,
          found.endpoint.to_string(),
          found.weight != 0 ? found.weight : s.weight,
          s.max_fails,
          s.max_conns,
          s.fail_timeout,
          s.slow_start,
          s.backup || found.backup,
          s.down,
          server};
}

std::vector<PeerAddress> addresses_of(const UpstreamSpec& spec) {
  std::vector<PeerAddress> peers;
  for (std::size_t i = 0; i < spec.servers.size(); ++i)
    for (const auto& endpoint : spec.servers[i].endpoints)
      peers.push_back(peer_of(spec.servers[i], i, {endpoint}));
  return peers;
}

}  // namespace

Upstream::Upstream(UpstreamSpec spec, GroupCounters counters)
    : spec_(std::move(spec)),
      counters_(counters),
      balancer_(addresses_of(spec_), spec_.balancing, std::random_device()()) {}

bool Upstream::set_peers(std::size_t server, const std::vector<FoundPeer>& found) {
  std::vector<PeerAddress> peers;
  for (const auto& one : found)
    peers.push_back(peer_of(spec_.servers[server], server, one));
  return balancer_.replace(server, peers);
}

UpstreamOnLoop& Upstream::on(net::Loop& loop) {
  const std::lock_guard lock(mutex_);
  for (auto& [known, state] : loops_)
    if (known == &loop) return *state;
  return *loops_
              .emplace_back(
                  &loop, std::make_unique<UpstreamOnLoop>(balancer_, spec_.pool, counters_, loop))
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
