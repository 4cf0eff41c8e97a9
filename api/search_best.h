#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gatescope::api {

/// The best few of many entries, by score; of equal ones those that came first.
class BestEntries {
 public:
  explicit BestEntries(std::size_t most) : most_(most) {}
  std::size_t size() const { return scored_.size(); }
  /// What scores no more cannot get in.
  float worst() const { return scored_.size() == most_ ? scored_.back().score : kAnything; }
  void offer(std::uint32_t entry, float score) {
    if (score <= worst()) return;
    const auto same = std::find_if(scored_.begin(), scored_.end(),
                                   [&](const Scored& s) { return s.entry == entry; });
    if (same != scored_.end()) {
      if (same->score >= score) return;
      scored_.erase(same);
    } else if (scored_.size() == most_) {
      scored_.pop_back();
    }
    const auto place = std::find_if(scored_.begin(), scored_.end(),
                                    [&](const Scored& s) { return s.score < score; });
    scored_.insert(place, {entry, score});
  }
  /// Adds those that `found` does not have yet.
  void append_to(std::vector<std::uint32_t>& found) const {
    for (const Scored& s : scored_)
      if (std::find(found.begin(), found.end(), s.entry) == found.end()) found.push_back(s.entry);
  }

 private:
  static constexpr float kAnything = -1e9f;
  struct Scored {
    std::uint32_t entry;
    float score;
  };
  const std::size_t most_;
  std::vector<Scored> scored_;  // best first
};

}  // namespace gatescope::api
