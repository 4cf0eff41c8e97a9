#include "proxy/ops/history.h"

#include "tests/support/catch.h"

using namespace gatescope;
using namespace gatescope::ops;

namespace {

/// A server that answers, and time that passes when told.
class Past {
 public:
  History history;
  TimeHistogram times;
  Totals totals;

  Past() {
    totals.now = MonoTime(std::chrono::hours(1));
    totals.at = WallTime(std::chrono::seconds(1'700'000'000));
    history.add(totals);
  }
  void answer(std::size_t status_class, int n, std::uint64_t milliseconds) {
    totals.responses[status_class] += static_cast<std::uint64_t>(n);
    for (int i = 0; i < n; ++i)
      times.add(milliseconds);
  }
  void pass(Duration time) {
    totals.now += time;
    totals.at += time;
    totals.times = {};
    times.read_into(totals.times);
    history.add(totals);
  }
};

}  // namespace

TEST_CASE("a point is what happened since the one before it") {
  Past past;
  past.answer(2, 10, 3);
  past.totals.sent = 5000;
  past.totals.connections = 7;
  past.pass(Duration(1000));
  past.answer(2, 2, 80);
  past.answer(5, 1, 80);
  past.totals.sent = 5100;
  past.totals.connections = 6;
  past.pass(Duration(2000));
  const auto points = past.history.fine();
  REQUIRE(points.size() == 2);
  CHECK(points[0].number == 1);
  CHECK(points[0].at == 1'700'000'001);
  CHECK(points[0].responses[2] == 10);
  CHECK(points[0].sent == 5000);
  CHECK(points[0].connections == 7);
  CHECK(points[0].p99 >= 3);
  CHECK(points[0].p99 <= 4);
  CHECK(points[1].seconds == 2);
  CHECK(points[1].requests() == 3);
  CHECK(points[1].responses[5] == 1);
  CHECK(points[1].sent == 100);
  CHECK(points[1].p50 >= 80);
  CHECK(past.history.fine(1).size() == 1);
  CHECK(past.history.fine(2).empty());
}

TEST_CASE("ten minutes by the second and a day by two minutes are kept, and no more") {
  Past past;
  constexpr int kSeconds = 2 * 86'400;
  for (int i = 0; i < kSeconds; ++i) {
    past.totals.responses[2] += 1;
    past.totals.now += Duration(1000);
    past.totals.at += Duration(1000);
    past.history.add(past.totals);
  }
  const auto fine = past.history.fine();
  REQUIRE(fine.size() == History::kFine);
  CHECK(fine.back().number == kSeconds);
  CHECK(fine.front().number == kSeconds - History::kFine + 1);
  for (std::size_t i = 1; i < fine.size(); ++i)
    REQUIRE(fine[i].at == fine[i - 1].at + 1);
  const auto coarse = past.history.coarse();
  REQUIRE(coarse.size() == History::kCoarse);
  CHECK(coarse.back().requests() == 120);
  CHECK(coarse.back().at - coarse.front().at == 86'400 - 120);
}

TEST_CASE("a rate is of the last minute, or of as long as is known") {
  Past past;
  CHECK(past.history.last(Duration(60'000)).per_second() == 0);
  for (int i = 0; i < 5; ++i) {
    past.answer(2, 4, 1);
    past.pass(Duration(1000));
  }
  CHECK(past.history.last(Duration(60'000)).per_second() == Approx(4));
  for (int i = 0; i < 200; ++i) {
    past.answer(2, 10, 30);
    past.pass(Duration(1000));
  }
  const auto minute = past.history.last(Duration(60'000));
  CHECK(minute.per_second() == Approx(10));
  CHECK(minute.seconds >= 60);
  CHECK(minute.seconds <= 71);
  CHECK(minute.times.percentile(0.01) >= 29);
  for (int i = 0; i < 100; ++i)
    past.pass(Duration(1000));
  CHECK(past.history.last(Duration(60'000)).requests() == 0);
}

TEST_CASE("a look that comes twice at one time is one look") {
  Past past;
  past.pass(Duration(0));
  CHECK(past.history.fine().empty());
}
