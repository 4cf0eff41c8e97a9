#include "proxy/upstream/balancer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "proxy/upstream/key_hash.h"

namespace gatescope::upstream {

namespace {

// As ketama has it: so many points on the ring for each unit of weight.
constexpr unsigned kPointsPerWeight = 160;

/// FNV-1a, then mixed: keys that differ in their last byte only must not lie side by side.
std::uint64_t hash_of(std::string_view text, std::uint64_t seed = 0) {
  std::uint64_t h = 0xcbf29ce484222325u ^ seed;
  for (const unsigned char c : text)
    h = (h ^ c) * 0x100000001b3u;
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdu;
  return h ^ (h >> 29);
}

constexpr int kDraws = 20;  // for a key whose servers are all away; then it is round robin's

}  // namespace

Balancer::Balancer(const std::vector<PeerAddress>& peers, Balancing balancing, std::uint32_t seed)
    : balancing_(balancing), health_(peers.size()), random_(seed) {
  for (std::size_t i = 0; i < peers.size(); ++i) {
    peers_.push_back(std::make_shared<const PeerAddress>(peers[i]));
    health_[i].effective_weight = peers[i].weight;
  }
  prepare();
}

/// What follows from the peers.
void Balancer::prepare() {
  single_ = std::count_if(peers_.begin(), peers_.end(), [](const auto& p) { return !!p; }) == 1;
  if (balancing_ != Balancing::ConsistentHash) return;
  ring_.clear();
  for (std::size_t i = 0; i < peers_.size(); ++i)
    for (unsigned point = 0; peers_[i] && point < peers_[i]->weight * kPointsPerWeight; ++point)
      ring_.emplace_back(hash_of(fmt::format("{} {}", peers_[i]->name, point)), i);
  std::sort(ring_.begin(), ring_.end());
}

std::vector<PeerPtr> Balancer::peers(std::uint64_t& version) const {
  const std::lock_guard lock(mutex_);
  version = version_;
  return peers_;
}

bool Balancer::replace(std::size_t server, const std::vector<PeerAddress>& wanted) {
  const std::lock_guard lock(mutex_);
  std::vector<std::size_t> before, missing;
  for (std::size_t i = 0; i < peers_.size(); ++i)
    if (peers_[i] && peers_[i]->server == server) before.push_back(i);
  bool changed = false;
  for (std::size_t w = 0; w < wanted.size(); ++w) {
    const auto same = std::find_if(before.begin(), before.end(), [&](std::size_t i) {
      return peers_[i]->endpoint == wanted[w].endpoint;
    });
    if (same == before.end()) {
      missing.push_back(w);
      continue;
    }
    const auto& known = *peers_[*same];
    if (known.weight != wanted[w].weight || known.backup != wanted[w].backup) {
      health_[*same].effective_weight = wanted[w].weight;
      peers_[*same] = std::make_shared<const PeerAddress>(wanted[w]);
      changed = true;
    }
    before.erase(same);
  }
  for (const auto gone : before)
    peers_[gone] = nullptr;
  for (const auto w : missing) {
    const auto i = number_for_new();
    peers_[i] = std::make_shared<const PeerAddress>(wanted[w]);
    health_[i] = {};
    health_[i].effective_weight = wanted[w].weight;
  }
  if (!changed && before.empty() && missing.empty()) return false;
  prepare();
  version_.store(version_ + 1, std::memory_order_release);
  return true;
}

std::size_t Balancer::number_for_new() {
  for (std::size_t i = 0; i < peers_.size(); ++i)
    if (!peers_[i] && health_[i].active == 0) return i;
  peers_.emplace_back();
  health_.emplace_back();
  return peers_.size() - 1;
}

void Balancer::forbid(std::size_t peer) {
  const std::lock_guard lock(mutex_);
  ++health_[peer].forbidden;
}

void Balancer::permit(std::size_t peer, MonoTime now) {
  const std::lock_guard lock(mutex_);
  auto& h = health_[peer];
  if (--h.forbidden > 0) return;
  h.fails = 0;
  h.recovered = now;
  h.current_weight = 0;
}

void Balancer::find_usable(bool backups, const TriedPeers& tried, MonoTime now, bool failed_too) {
  among_.clear();
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (!peers_[i] || (i < tried.size() && tried[i])) continue;
    const auto& p = *peers_[i];
    const auto& h = health_[i];
    if (p.backup != backups || p.down || h.forbidden > 0) continue;
    if (p.max_conns != 0 && h.active >= p.max_conns) continue;
    const bool failed =
        p.max_fails != 0 && h.fails >= p.max_fails && now - h.checked <= p.fail_timeout;
    if (!failed || single_ || failed_too) among_.push_back(i);
  }
}

std::optional<std::size_t> Balancer::choose(const TriedPeers& tried, std::string_view key,
                                            MonoTime now, bool failed_too) {
  const std::lock_guard lock(mutex_);
  find_usable(false, tried, now, failed_too);
  const bool backups = among_.empty();
  if (backups) find_usable(true, tried, now, failed_too);
  if (among_.empty()) return std::nullopt;
  const std::size_t best = backups ? round_robin(among_, now) : choose_from(among_, key, now);
  auto& h = health_[best];
  if (now - h.checked > peers_[best]->fail_timeout)
    h.checked = now;  // one try, then it is left out for as long again
  return best;
}

std::size_t Balancer::choose_from(const Usable& among, std::string_view key, MonoTime now) {
  switch (balancing_) {
    case Balancing::RoundRobin:
      break;
    case Balancing::LeastConn:
      return least_conn(among, now);
    case Balancing::IpHash:
      return keyed(among, AddressHash(key), now);
    case Balancing::Hash:
      if (key.empty()) break;  // as nginx: such requests have nothing in common
      return keyed(among, KeyHash(key), now);
    case Balancing::ConsistentHash:
      if (key.empty()) break;
      return on_ring(among, key);
    case Balancing::Random:
      return weighted(among, hash_of({}, random_()), now);
    case Balancing::RandomTwo:
      return two_choices(among, now);
  }
  return round_robin(among, now);
}

/// effective_weight, less while a peer that was down starts slowly.
long Balancer::weight_of(std::size_t peer, MonoTime now) const {
  const auto& h = health_[peer];
  const auto slow = peers_[peer]->slow_start;
  if (slow.count() == 0 || h.recovered == MonoTime{} || now - h.recovered >= slow)
    return h.effective_weight;
  using Seconds = std::chrono::duration<double>;
  const double share = Seconds(now - h.recovered) / Seconds(slow);
  return std::max(1L, static_cast<long>(static_cast<double>(h.effective_weight) * share));
}

/// nginx's smooth weighted round robin.
std::size_t Balancer::round_robin(const Usable& among, MonoTime now) {
  std::optional<std::size_t> best;
  long total = 0;
  for (const auto i : among) {
    auto& h = health_[i];
    const long weight = weight_of(i, now);
    h.current_weight += weight;
    total += weight;
    if (h.effective_weight < static_cast<long>(peers_[i]->weight)) ++h.effective_weight;
    if (!best || h.current_weight > health_[*best].current_weight) best = i;
  }
  health_[*best].current_weight -= total;
  return *best;
}

/// Fewest requests for its weight; those that are equal take turns.
std::size_t Balancer::least_conn(const Usable& among, MonoTime now) {
  Usable equal;
  for (const auto i : among) {
    const auto less = [&](std::size_t a, std::size_t b) {
      return health_[a].active * static_cast<std::size_t>(weight_of(b, now)) <
             health_[b].active * static_cast<std::size_t>(weight_of(a, now));
    };
    if (!equal.empty() && less(i, equal.front())) equal.clear();
    if (equal.empty() || !less(equal.front(), i)) equal.push_back(i);
  }
  return round_robin(equal, now);
}

/// The first peer drawn that is usable. It is drawn from all of them, by the weights of the
/// configuration: while one is away, only its own keys go elsewhere.
template <class Draws>
std::size_t Balancer::keyed(const Usable& among, Draws draws, MonoTime now) {
  std::uint64_t total = 0;
  const auto drawn_from = [](const PeerPtr& p) { return p && !p->backup; };
  for (const auto& p : peers_)
    if (drawn_from(p)) total += p->weight;
  for (int i = 0; i < kDraws && total > 0; ++i) {
    auto rest = draws.next() % total;
    std::size_t at = 0;
    for (; !drawn_from(peers_[at]) || rest >= peers_[at]->weight; ++at)
      if (drawn_from(peers_[at])) rest -= peers_[at]->weight;
    if (std::find(among.begin(), among.end(), at) != among.end()) return at;
  }
  return round_robin(among, now);
}

/// The peer in whose share of the weights `point` lies.
std::size_t Balancer::weighted(const Usable& among, std::uint64_t point, MonoTime now) const {
  long total = 0;
  for (const auto i : among)
    total += weight_of(i, now);
  auto rest = total > 0 ? static_cast<long>(point % static_cast<std::uint64_t>(total)) : 0;
  for (const auto i : among) {
    rest -= weight_of(i, now);
    if (rest < 0) return i;
  }
  return among.back();
}

std::size_t Balancer::on_ring(const Usable& among, std::string_view key) {
  const auto from = std::lower_bound(ring_.begin(), ring_.end(),
                                     std::pair<std::uint64_t, std::size_t>{hash_of(key), 0});
  const auto is_usable = [&](const auto& point) {
    return std::find(among.begin(), among.end(), point.second) != among.end();
  };
  auto at = std::find_if(from, ring_.end(), is_usable);
  if (at == ring_.end()) at = std::find_if(ring_.begin(), from, is_usable);
  return at->second;
}

/// Of two taken by chance the one with fewer requests for its weight.
std::size_t Balancer::two_choices(const Usable& among, MonoTime now) {
  const auto first = weighted(among, hash_of({}, random_()), now);
  if (among.size() == 1) return first;
  Usable others;
  for (const auto i : among)
    if (i != first) others.push_back(i);
  const auto second = weighted(others, hash_of({}, random_()), now);
  return least_conn({first, second}, now);
}

Balancer::Use Balancer::use(std::size_t peer) {
  const std::lock_guard lock(mutex_);
  ++health_[peer].active;
  return Use(*this, peer);
}

void Balancer::end(std::size_t peer) {
  const std::lock_guard lock(mutex_);
  --health_[peer].active;
}

std::size_t Balancer::active(std::size_t peer) const {
  const std::lock_guard lock(mutex_);
  return health_[peer].active;
}

Balancer::Fitness Balancer::fitness(MonoTime now) const {
  const std::lock_guard lock(mutex_);
  Fitness fitness;
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    const auto& h = health_[i];
    fitness.active += h.active;
    if (!peers_[i] || peers_[i]->down || peers_[i]->backup) continue;
    const auto& p = *peers_[i];
    // A single server is tried whatever happened; it is unfit all the same.
    const bool failed = h.fails > 0 && h.fails >= p.max_fails && now - h.accessed <= p.fail_timeout;
    ++fitness.servers;
    if (!failed && h.forbidden == 0) ++fitness.usable;
  }
  return fitness;
}

void Balancer::report(std::size_t peer, bool worked, MonoTime now) {
  const std::lock_guard lock(mutex_);
  auto& h = health_[peer];
  if (!peers_[peer]) return;
  const auto& p = *peers_[peer];
  if (worked) {
    if (h.accessed >= h.checked) return;
    // It was let try after its failures, and works.
    if (p.max_fails != 0 && h.fails >= p.max_fails) h.recovered = now;
    h.fails = 0;
    return;
  }
  ++h.fails;
  h.accessed = now;
  h.checked = now;
  if (p.max_fails != 0)
    h.effective_weight =
        std::max(0L, h.effective_weight - static_cast<long>(p.weight / p.max_fails));
}

}  // namespace gatescope::upstream
