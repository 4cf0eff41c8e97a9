#include "proxy/base/stats.h"

#include <thread>

#include "tests/support/catch.h"

using namespace gatescope;

TEST_CASE("the same name gives the same counter, also after a reload") {
  Stats stats;
  Counter& first = stats.counter("http_requests", "requests", "Requests that were answered.");
  for (int i = 0; i < 1000; ++i)
    stats.counter("other_" + std::to_string(i), "bytes", "");
  first.add(2);
  stats.counter("http_requests", "requests", "Requests that were answered.").add();
  CHECK(first.value() == 3);
}

TEST_CASE("samples come by family in order of registration, with kind, unit and help") {
  Stats stats;
  stats.counter("b", "bytes", "help b", {{"x", "1"}}).set(7);
  stats.gauge("a", "connections", "help a").sub(2);
  stats.counter("b", "bytes", "help b", {{"x", "2"}}).add(3);
  const auto samples = stats.samples();
  REQUIRE(samples.size() == 3);
  CHECK(samples[0].name == "b");
  CHECK(samples[0].unit == "bytes");
  CHECK(samples[0].kind == StatKind::Counter);
  CHECK(samples[0].value == 7);
  CHECK(samples[1].labels == Labels{{"x", "2"}});
  CHECK(samples[1].value == 3);
  CHECK(samples[2].kind == StatKind::Gauge);
  CHECK(samples[2].help == "help a");
  CHECK(samples[2].value == -2);
}

TEST_CASE("the parts of a number that loops count for themselves are shown as their sum") {
  Stats stats;
  LoopCounter one, other;
  stats.add_part(StatKind::Counter, "n", "requests", "", {{"class", "2xx"}}, one);
  stats.add_part(StatKind::Counter, "n", "requests", "", {{"class", "2xx"}}, other);
  LoopCounter errors;
  stats.add_part(StatKind::Counter, "n", "requests", "", {{"class", "5xx"}}, errors);
  one.add(3);
  other.add();
  errors.add(5);
  const StatValues values(stats.samples());
  CHECK(values.sum("n") == 9);
  CHECK(values.sum("n", "class", "2xx") == 4);
  CHECK(values.sum("n", "class", "4xx") == 0);
  CHECK(values.sum("unknown") == 0);
  CHECK_FALSE(values.has("unknown"));
}

TEST_CASE("a family that is replaced shows what is there now") {
  Stats stats;
  stats.replace("days", "days", "", {{{{"name", "a.test"}}, 3}, {{{"name", "b.test"}}, 4}});
  stats.replace("days", "days", "", {{{{"name", "b.test"}}, 5}});
  const auto samples = stats.samples();
  REQUIRE(samples.size() == 1);
  CHECK(samples[0].labels == Labels{{"name", "b.test"}});
  CHECK(samples[0].value == 5);
}

TEST_CASE("loops count while others look, and nothing is lost") {
  Stats stats;
  LoopCounter counter;
  TimeHistogram times;
  stats.add_part(StatKind::Counter, "n", "requests", "", {}, counter);
  stats.add_part("t", "seconds", "", {}, times);
  constexpr int kTimes = 20'000;
  std::thread loop([&] {
    for (int i = 0; i < kTimes; ++i) {
      counter.add();
      times.add(static_cast<std::uint64_t>(i % 50));
    }
  });
  std::int64_t before = 0;
  bool grew = true;
  for (int i = 0; i < 200; ++i) {
    const auto now = StatValues(stats.samples()).sum("n");
    grew = grew && now >= before;
    before = now;
  }
  loop.join();
  CHECK(grew);
  const StatValues values(stats.samples());
  CHECK(values.sum("n") == kTimes);
  CHECK(values.times("t").count == kTimes);
}

TEST_CASE("counters and registry may be used from several threads") {
  Stats stats;
  const auto count = [&stats] {
    for (int i = 0; i < 1000; ++i)
      stats.counter("n", "requests", "").add();
  };
  std::thread other(count);
  count();
  other.join();
  CHECK(stats.counter("n", "requests", "").value() == 2000);
}
