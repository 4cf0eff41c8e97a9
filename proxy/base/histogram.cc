#include "proxy/base/histogram.h"

#include <algorithm>

namespace gatescope {

namespace {

/// The first value of each bucket.
constexpr auto kBegins = [] {
  std::array<std::uint64_t, TimeBuckets::kCount> begins{};
  std::size_t n = 0;
  std::uint64_t at = 0;
  const auto until = [&](std::uint64_t end, std::uint64_t step) {
    for (; at < end; at += step)
      begins[n++] = at;
  };
  until(20, 1);
  for (std::uint64_t decade = 10; decade <= 100'000; decade *= 10) {
    until(5 * decade, decade / 5);
    until(10 * decade, decade / 2);
    if (decade < 100'000) until(20 * decade, decade);
  }
  begins[n++] = at;
  if (n != begins.size()) throw "kCount is not their number";
  return begins;
}();

/// Most requests take less than this: their bucket is looked up and not searched.
constexpr std::uint64_t kLookedUp = 1000;
constexpr auto kBucketOf = [] {
  std::array<std::uint8_t, kLookedUp> buckets{};
  std::size_t bucket = 0;
  for (std::uint64_t value = 0; value < kLookedUp; ++value) {
    while (kBegins[bucket + 1] <= value)
      ++bucket;
    buckets[value] = static_cast<std::uint8_t>(bucket);
  }
  return buckets;
}();

}  // namespace

std::size_t TimeBuckets::of(std::uint64_t milliseconds) {
  if (milliseconds < kLookedUp) return kBucketOf[milliseconds];
  const auto after = std::upper_bound(kBegins.begin(), kBegins.end(), milliseconds);
  return static_cast<std::size_t>(after - kBegins.begin()) - 1;
}

std::uint64_t TimeBuckets::begin(std::size_t bucket) {
  return kBegins[bucket];
}

std::uint64_t TimeBuckets::end(std::size_t bucket) {
  return kBegins[std::min(bucket + 1, kCount - 1)];
}

TimeCounts& TimeCounts::operator+=(const TimeCounts& other) {
  for (std::size_t i = 0; i < counts.size(); ++i)
    counts[i] += other.counts[i];
  count += other.count;
  sum += other.sum;
  return *this;
}

TimeCounts& TimeCounts::operator-=(const TimeCounts& earlier) {
  for (std::size_t i = 0; i < counts.size(); ++i)
    counts[i] -= earlier.counts[i];
  count -= earlier.count;
  sum -= earlier.sum;
  return *this;
}

std::uint64_t TimeCounts::below(std::uint64_t border) const {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i + 1 < counts.size() && TimeBuckets::end(i) <= border; ++i)
    below += counts[i];
  return below;
}

double TimeCounts::percentile(double share) const {
  if (count == 0) return 0;
  const double wanted = std::clamp(share, 0.0, 1.0) * static_cast<double>(count);
  double before = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto here = static_cast<double>(counts[i]);
    if (here == 0 || before + here < wanted) {
      before += here;
      continue;
    }
    const auto begin = static_cast<double>(TimeBuckets::begin(i));
    const auto width = static_cast<double>(TimeBuckets::end(i)) - begin;
    return begin + width * (wanted - before) / here;
  }
  return static_cast<double>(TimeBuckets::begin(counts.size() - 1));
}

void TimeHistogram::read_into(TimeCounts& counts) const {
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const auto n = counts_[i].load(std::memory_order_relaxed);
    counts.counts[i] += n;
    counts.count += n;
  }
  counts.sum += sum_.load(std::memory_order_relaxed);
}

}  // namespace gatescope
