#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "proxy/net/loop.h"

namespace gatescope::files {

/// Where a loop has reads done that would block it. Thread-safe: a reload may add loops.
class FileLanes {
 public:
  void add(const net::Loop& loop, std::shared_ptr<net::WorkerLane> lane) {
    const std::lock_guard lock(mutex_);
    lanes_.emplace_back(&loop, std::move(lane));
  }
  /// Null: this loop has none, and reads by itself.
  net::WorkerLane* find(const net::Loop& loop) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [of, lane] : lanes_)
      if (of == &loop) return lane.get();
    return nullptr;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<const net::Loop*, std::shared_ptr<net::WorkerLane>>> lanes_;
};

}  // namespace gatescope::files
