#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace gatescope {

/// The buckets of a histogram of times in whole milliseconds: each millisecond has its own up to
/// 20, then steps of a tenth or less, up to 1000 s. Every 1, 2 and 5 of a decade is a border, so
/// that what is shown in round numbers is exact and not interpolated.
struct TimeBuckets {
  static constexpr std::size_t kCount = 186;
  static std::size_t of(std::uint64_t milliseconds);
  /// The first value that is in it, and the first that is not any more; the last bucket takes
  /// everything from its border on, and says the border twice.
  static std::uint64_t begin(std::size_t bucket);
  static std::uint64_t end(std::size_t bucket);
};

/// What a histogram held at some time. A value: what happened between two times is their
/// difference.
struct TimeCounts {
  std::array<std::uint64_t, TimeBuckets::kCount> counts{};
  std::uint64_t count = 0, sum = 0;  // sum: milliseconds

  TimeCounts& operator+=(const TimeCounts& other);
  TimeCounts& operator-=(const TimeCounts& earlier);
  /// How many took less than `border` milliseconds, which is a bucket's.
  std::uint64_t below(std::uint64_t border) const;
  /// Milliseconds that the share (0 to 1) of all was done within, interpolated inside its bucket:
  /// at most a tenth, or one millisecond, beside the truth. 0 without any.
  double percentile(double share) const;
  bool operator==(const TimeCounts&) const = default;
};

/// Times, counted by one thread and read by any: an event loop's share of a histogram. Adding costs
/// a look at a table and three stores; nothing is locked, so a reader may see the sum of one time
/// more than the counts.
class TimeHistogram {
 public:
  void add(std::uint64_t milliseconds) {
    more(counts_[TimeBuckets::of(milliseconds)], 1);
    more(sum_, milliseconds);
  }
  void read_into(TimeCounts& counts) const;  // adds

 private:
  using Number = std::atomic<std::uint64_t>;
  static void more(Number& number, std::uint64_t n) {
    number.store(number.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

  std::array<Number, TimeBuckets::kCount> counts_{};
  Number sum_{0};
};

/// What a scraper is shown: borders in milliseconds, each a bucket's.
inline constexpr std::array<std::uint64_t, 16> kShownBorders{
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10'000, 20'000, 50'000, 100'000};

}  // namespace gatescope
