#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "proxy/net/loop.h"

namespace gatescope::files {

/// Where a loop has reads done that would block it. Filled by Server before the loops run, read by
/// all of them afterwards.
class FileLanes {
 public:
  void add(const net::Loop& loop, std::shared_ptr<net::WorkerLane> lane) {
    lanes_.emplace_back(&loop, std::move(lane));
  }
  /// Null: this loop has none, and reads by itself.
  net::WorkerLane* find(const net::Loop& loop) const {
    for (const auto& [of, lane] : lanes_)
      if (of == &loop) return lane.get();
    return nullptr;
  }

 private:
  std::vector<std::pair<const net::Loop*, std::shared_ptr<net::WorkerLane>>> lanes_;
};

}  // namespace gatescope::files
