#include "proxy/upstream/upstream.h"

#include <fmt/format.h>

#include <algorithm>

namespace gatescope::upstream {

std::string UpstreamSpec::key() const {
  std::string key = fmt::format("{} {} {} {} {}", name, pool.idle, pool.requests,
                                pool.timeout.count(), pool.time.count());
  for (const auto& s : servers) {
    key += fmt::format("; {} {} {} {} {} {}", s.name, s.weight, s.max_fails, s.fail_timeout.count(),
                       s.backup, s.down);
    for (const auto& e : s.endpoints)
      key += " " + e.to_string();
  }
  return key;
}

UpstreamOnLoop::UpstreamOnLoop(const std::vector<PeerAddress>& peers, const PoolSettings& pool,
                               net::Loop& loop)
    : peers_(peers),
      loop_(loop),
      single_(peers.size() == 1),
      health_(peers.size()),
      pool_(pool, loop) {
  for (std::size_t i = 0; i < peers.size(); ++i)
    health_[i].effective_weight = peers[i].weight;
}

bool UpstreamOnLoop::usable(std::size_t i, const TriedPeers& tried) const {
  if (peers_[i].down || (i < tried.size() && tried[i])) return false;
  const auto& h = health_[i];
  const auto& p = peers_[i];
  const bool failed = p.max_fails != 0 && h.fails >= p.max_fails &&
                      loop_.clock().now() - h.checked <= p.fail_timeout;
  return single_ || !failed;
}

std::optional<std::size_t> UpstreamOnLoop::choose_among(bool backups, const TriedPeers& tried) {
  std::optional<std::size_t> best;
  long total = 0;
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (peers_[i].backup != backups || !usable(i, tried)) continue;
    auto& h = health_[i];
    h.current_weight += h.effective_weight;
    total += h.effective_weight;
    if (h.effective_weight < static_cast<long>(peers_[i].weight)) ++h.effective_weight;
    if (!best || h.current_weight > health_[*best].current_weight) best = i;
  }
  if (!best) return best;
  auto& h = health_[*best];
  h.current_weight -= total;
  const auto now = loop_.clock().now();
  if (now - h.checked > peers_[*best].fail_timeout)
    h.checked = now;  // one try, then it is left out for as long again
  return best;
}

std::optional<std::size_t> UpstreamOnLoop::choose(const TriedPeers& tried) {
  const auto primary = choose_among(false, tried);
  return primary ? primary : choose_among(true, tried);
}

void UpstreamOnLoop::report(std::size_t peer, bool worked) {
  auto& h = health_[peer];
  const auto& p = peers_[peer];
  if (worked) {
    if (h.accessed < h.checked) h.fails = 0;  // it was let try after its failures, and works
    return;
  }
  const auto now = loop_.clock().now();
  ++h.fails;
  h.accessed = now;
  h.checked = now;
  if (p.max_fails != 0)
    h.effective_weight =
        std::max(0L, h.effective_weight - static_cast<long>(p.weight / p.max_fails));
}

Upstream::Upstream(UpstreamSpec spec) : spec_(std::move(spec)) {
  for (const auto& server : spec_.servers)
    for (const auto& endpoint : server.endpoints)
      peers_.push_back({endpoint, endpoint.to_string(), server.weight, server.max_fails,
                        server.fail_timeout, server.backup, server.down});
}

UpstreamOnLoop& Upstream::on(net::Loop& loop) {
  const std::lock_guard lock(mutex_);
  for (auto& [known, state] : loops_)
    if (known == &loop) return *state;
  return *loops_.emplace_back(&loop, std::make_unique<UpstreamOnLoop>(peers_, spec_.pool, loop))
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
