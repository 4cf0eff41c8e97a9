#pragma once

// What was a moment ago, for charts and rates.

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/histogram.h"

namespace gatescope::ops {

/// What was counted since the start, and how it is, at one time.
struct Totals {
  MonoTime now{};
  WallTime at{};
  std::array<std::uint64_t, 6> responses{};  // by http::StatusClass
  std::uint64_t received = 0, sent = 0;      // bytes
  std::uint64_t file_hits = 0, file_misses = 0, api_hits = 0, api_misses = 0;
  TimeCounts times;
  // Not sums:
  std::int64_t connections = 0, active_requests = 0, memory = 0;
};

/// What happened between two looks, and how it was at the second.
struct HistoryPoint {
  std::uint64_t number = 0;  // counts on, from 1
  std::int64_t at = 0;       // Unix time, seconds
  float seconds = 0;         // that it covers
  std::array<std::uint32_t, 6> responses{};
  float p50 = 0, p90 = 0, p99 = 0;  // milliseconds; 0 when nothing was answered
  std::uint64_t received = 0, sent = 0;
  std::uint32_t file_hits = 0, file_misses = 0, api_hits = 0, api_misses = 0;
  std::int64_t connections = 0, active_requests = 0, memory = 0;

  std::uint64_t requests() const;
};

/// The last ten minutes by the second, and the last day by two minutes: some 0.25 MB, however long
/// the server runs and whatever it serves. Time comes with what is added; nothing here looks at a
/// clock. Not thread-safe.
class History {
 public:
  static constexpr std::size_t kFine = 600, kCoarse = 720;
  static constexpr Duration kCoarseStep{120'000};
  static constexpr Duration kMarkStep{10'000};
  static constexpr std::size_t kMarks = 31;  // five minutes

  /// Once a second. One that comes late covers more than a second, and says so.
  void add(const Totals& totals);
  /// Oldest first, those with a number above `after`.
  std::vector<HistoryPoint> fine(std::uint64_t after = 0) const { return fine_.after(after); }
  std::vector<HistoryPoint> coarse(std::uint64_t after = 0) const { return coarse_.after(after); }

  /// What happened in about the last so long (at most five minutes, or since the first look).
  struct Window {
    double seconds = 0;
    std::array<std::uint64_t, 6> responses{};
    std::uint64_t received = 0, sent = 0;
    TimeCounts times;
    std::uint64_t requests() const;
    double per_second() const;
  };
  Window last(Duration window) const;

 private:
  template <std::size_t kSize>
  class Ring {
   public:
    void add(HistoryPoint point) {
      point.number = ++added_;
      if (points_.size() < kSize) {
        points_.push_back(point);
      } else {
        points_[(added_ - 1) % kSize] = point;
      }
    }
    std::vector<HistoryPoint> after(std::uint64_t number) const {
      std::vector<HistoryPoint> found;
      const std::uint64_t oldest = added_ - points_.size();
      for (std::uint64_t n = std::max(number, oldest); n < added_; ++n)
        found.push_back(points_[n % kSize]);
      return found;
    }

   private:
    std::vector<HistoryPoint> points_;
    std::uint64_t added_ = 0;
  };

  Totals last_;                // of the latest add()
  Totals coarse_from_;         // where the coarse point that is being made begins
  std::vector<Totals> marks_;  // oldest first, kMarkStep apart
  bool begun_ = false;
  Ring<kFine> fine_;
  Ring<kCoarse> coarse_;
};

}  // namespace gatescope::ops
