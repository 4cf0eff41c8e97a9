#pragma once

// What limit_req and limit_conn count in. Shared by all loops, and kept over a reload.

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/base/clock.h"
#include "proxy/base/text_map.h"

namespace gatescope::http {

/// About what one key takes besides its text; zone sizes are bytes, as in nginx.
inline constexpr std::size_t kLimitKeyBytes = 128;

/// limit_req_zone: for each key how far it is ahead of its rate ("excess", in thousandths of a
/// request), as a leaking bucket. When the zone is full, the key not used for longest is forgotten.
/// Thread-safe.
class RateZone {
 public:
  explicit RateZone(std::size_t bytes) : bytes_(bytes) {}
  /// The excess that one more request of `key` would have. Changes nothing but what is used last.
  /// `rate`: thousandths of a request per second.
  std::uint64_t look(std::string_view key, std::uint64_t rate, MonoTime now);
  /// Counts it.
  void count(std::string_view key, std::uint64_t rate, MonoTime now);
  std::size_t size() const;

 private:
  struct Key {
    std::string text;
    std::uint64_t excess = 0;
    MonoTime last{};
    bool counted = false;
  };
  Key& find_or_make(std::string_view text, std::uint64_t rate, MonoTime now);
  static std::uint64_t excess_of(const Key& key, std::uint64_t rate, MonoTime now);
  void forget_last();

  const std::size_t bytes_;
  mutable std::mutex mutex_;
  std::list<Key> by_use_;                                                // the last used first
  std::unordered_map<std::string_view, std::list<Key>::iterator> keys_;  // views of by_use_
  std::size_t used_bytes_ = 0;
};

/// limit_conn_zone: for each key how many requests are being answered. Thread-safe.
class ConnectionZone {
 public:
  explicit ConnectionZone(std::size_t bytes) : bytes_(bytes) {}
  /// One more of `key`, unless `most` are there, or the zone is full of other keys.
  bool take(std::string_view key, std::uint64_t most);
  void give_back(std::string_view key);
  std::size_t size() const;

 private:
  const std::size_t bytes_;
  mutable std::mutex mutex_;
  TextMap<std::uint64_t> counts_;
  std::size_t used_bytes_ = 0;
};

/// The zones by name, key and size: what a configuration names, the next one finds again. Owned by
/// Server; a zone lives as long as a generation uses it (that is why it is shared). Thread-safe.
class LimitZones {
 public:
  std::shared_ptr<RateZone> rate_zone(const std::string& name, const std::string& key,
                                      std::size_t bytes);
  std::shared_ptr<ConnectionZone> connection_zone(const std::string& name, const std::string& key,
                                                  std::size_t bytes);

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<RateZone>> rates_;
  std::map<std::string, std::weak_ptr<ConnectionZone>> connections_;
};

}  // namespace gatescope::http
