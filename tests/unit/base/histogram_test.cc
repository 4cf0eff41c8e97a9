#include "proxy/base/histogram.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "tests/support/catch.h"

using namespace gatescope;

namespace {

TimeCounts counts_of(const std::vector<std::uint64_t>& times) {
  TimeHistogram histogram;
  for (const auto time : times)
    histogram.add(time);
  TimeCounts counts;
  histogram.read_into(counts);
  return counts;
}

}  // namespace

TEST_CASE("every time has the bucket that it lies in") {
  for (std::uint64_t time = 0; time < 30'000; ++time) {
    const auto bucket = TimeBuckets::of(time);
    REQUIRE(TimeBuckets::begin(bucket) <= time);
    REQUIRE(time < TimeBuckets::end(bucket));
  }
  CHECK(TimeBuckets::of(999'999) == TimeBuckets::kCount - 2);
  CHECK(TimeBuckets::of(1'000'000) == TimeBuckets::kCount - 1);
  CHECK(TimeBuckets::of(~std::uint64_t{0}) == TimeBuckets::kCount - 1);
}

TEST_CASE("a bucket is at most a tenth of its time wide, or a millisecond") {
  for (std::size_t i = 0; i + 1 < TimeBuckets::kCount; ++i) {
    const auto begin = TimeBuckets::begin(i), width = TimeBuckets::end(i) - begin;
    CHECK((width == 1 || width * 10 <= begin));
  }
}

TEST_CASE("what a scraper is shown are borders of buckets") {
  for (const auto border : kShownBorders)
    CHECK(TimeBuckets::begin(TimeBuckets::of(border)) == border);
}

TEST_CASE("percentiles are as near to the exact ones as a bucket is wide") {
  std::mt19937 random(7);
  std::lognormal_distribution<double> spread(3, 1.7);
  std::vector<std::uint64_t> times;
  for (int i = 0; i < 20'000; ++i)
    times.push_back(static_cast<std::uint64_t>(spread(random)));
  const auto counts = counts_of(times);
  CHECK(counts.count == times.size());
  std::sort(times.begin(), times.end());
  for (const double share : {0.01, 0.1, 0.5, 0.9, 0.99, 0.999}) {
    const auto exact = static_cast<double>(times[static_cast<std::size_t>(share * 20'000)]);
    CAPTURE(share, exact);
    CHECK(std::abs(counts.percentile(share) - exact) <= std::max(1.0, exact / 10));
  }
  std::uint64_t sum = 0;
  for (const auto time : times)
    sum += time;
  CHECK(counts.sum == sum);
}

TEST_CASE("how many took less than a border is exact") {
  const auto counts = counts_of({0, 0, 1, 4, 5, 9, 10, 99, 100, 5'000'000});
  CHECK(counts.below(1) == 2);
  CHECK(counts.below(5) == 4);
  CHECK(counts.below(10) == 6);
  CHECK(counts.below(100) == 8);
  CHECK(counts.below(100'000) == 9);
  CHECK(counts.count == 10);
}

TEST_CASE("nothing has no percentile, and one time has itself") {
  CHECK(TimeCounts().percentile(0.5) == 0);
  const auto one = counts_of({7});
  for (const double share : {0.0, 0.5, 1.0}) {
    CHECK(one.percentile(share) >= 7);
    CHECK(one.percentile(share) <= 8);
  }
  CHECK(counts_of({5'000'000}).percentile(0.5) == 1'000'000);
}

TEST_CASE("what happened between two looks is their difference") {
  TimeHistogram histogram;
  histogram.add(3);
  TimeCounts before;
  histogram.read_into(before);
  histogram.add(40);
  histogram.add(41);
  TimeCounts after;
  histogram.read_into(after);
  after -= before;
  CHECK(after.count == 2);
  CHECK(after.sum == 81);
  CHECK(after.percentile(0.5) >= 40);
}
