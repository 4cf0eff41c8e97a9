#include "proxy/http/limit_zones.h"

#include <fmt/format.h>

#include <algorithm>

namespace gatescope::http {

namespace {

constexpr std::int64_t kMaxMs =
    1000LL * 3600 * 24;  // longer ago means the same, and cannot overflow
constexpr Duration kOld{60000};

template <class Zone>
std::shared_ptr<Zone> find_or_make(std::map<std::string, std::weak_ptr<Zone>>& zones,
                                   const std::string& name, const std::string& key,
                                   std::size_t bytes) {
  std::erase_if(zones, [](const auto& zone) { return zone.second.expired(); });
  auto& held = zones[fmt::format("{}\n{}\n{}", name, key, bytes)];
  auto zone = held.lock();
  if (!zone) held = zone = std::make_shared<Zone>(bytes);
  return zone;
}

}  // namespace

std::uint64_t RateZone::excess_of(const Key& key, std::uint64_t rate, MonoTime now) {
  if (!key.counted) return 0;
  const auto ms = std::clamp<std::int64_t>(
      std::chrono::floor<std::chrono::milliseconds>(now - key.last).count(), 0, kMaxMs);
  const auto leaked = static_cast<std::uint64_t>(ms) * rate / 1000;
  const auto before = key.excess + 1000;
  return before > leaked ? before - leaked : 0;
}

RateZone::Key& RateZone::find_or_make(std::string_view text, std::uint64_t rate, MonoTime now) {
  if (const auto it = keys_.find(text); it != keys_.end()) {
    by_use_.splice(by_use_.begin(), by_use_, it->second);
    return by_use_.front();
  }
  // Two that mean nothing any more make room for a new one, as in nginx
  for (int i = 0; i < 2 && !by_use_.empty(); ++i) {
    const auto& last = by_use_.back();
    if (now - last.last < kOld || excess_of(last, rate, now) > 0) break;
    forget_last();
  }
  const auto need = kLimitKeyBytes + text.size();
  while (!by_use_.empty() && used_bytes_ + need > bytes_)
    forget_last();
  used_bytes_ += need;
  by_use_.push_front({.text = std::string(text), .last = now});
  keys_.emplace(by_use_.front().text, by_use_.begin());
  return by_use_.front();
}

void RateZone::forget_last() {
  used_bytes_ -= kLimitKeyBytes + by_use_.back().text.size();
  keys_.erase(by_use_.back().text);
  by_use_.pop_back();
}

std::uint64_t RateZone::look(std::string_view key, std::uint64_t rate, MonoTime now) {
  const std::lock_guard lock(mutex_);
  return excess_of(find_or_make(key, rate, now), rate, now);
}

void RateZone::count(std::string_view key, std::uint64_t rate, MonoTime now) {
  const std::lock_guard lock(mutex_);
  auto& held = find_or_make(key, rate, now);
  held.excess = excess_of(held, rate, now);
  held.last = now;
  held.counted = true;
}

std::size_t RateZone::size() const {
  const std::lock_guard lock(mutex_);
  return keys_.size();
}

bool ConnectionZone::take(std::string_view key, std::uint64_t most) {
  const std::lock_guard lock(mutex_);
  if (const auto it = counts_.find(key); it != counts_.end()) {
    if (it->second >= most) return false;
    ++it->second;
    return true;
  }
  const auto need = kLimitKeyBytes + key.size();
  if (most == 0 || used_bytes_ + need > bytes_) return false;
  used_bytes_ += need;
  counts_.emplace(key, 1);
  return true;
}

void ConnectionZone::give_back(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto it = counts_.find(key);
  if (it == counts_.end() || --it->second > 0) return;
  used_bytes_ -= kLimitKeyBytes + key.size();
  counts_.erase(it);
}

std::size_t ConnectionZone::size() const {
  const std::lock_guard lock(mutex_);
  return counts_.size();
}

std::shared_ptr<RateZone> LimitZones::rate_zone(const std::string& name, const std::string& key,
                                                std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  return find_or_make(rates_, name, key, bytes);
}

std::shared_ptr<ConnectionZone> LimitZones::connection_zone(const std::string& name,
                                                            const std::string& key,
                                                            std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  return find_or_make(connections_, name, key, bytes);
}

}  // namespace gatescope::http
