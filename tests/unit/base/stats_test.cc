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

TEST_CASE("entries come in order of registration, with unit and help") {
  Stats stats;
  stats.counter("b", "bytes", "help b").set(7);
  stats.counter("a", "connections", "help a").sub(2);
  const auto entries = stats.entries();
  REQUIRE(entries.size() == 2);
  CHECK(entries[0]->name == "b");
  CHECK(entries[0]->unit == "bytes");
  CHECK(entries[0]->counter.value() == 7);
  CHECK(entries[1]->help == "help a");
  CHECK(entries[1]->counter.value() == -2);
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
