#include "proxy/http/limit_zones.h"

#include "tests/support/catch.h"

using namespace gatescope;
using namespace gatescope::http;

namespace {
MonoTime at(int ms) {
  return MonoTime{std::chrono::hours(5) + std::chrono::milliseconds(ms)};
}
}  // namespace

TEST_CASE(
    "a rate leaks: the first request is free, each other one is ahead until its time is over") {
  RateZone zone(1 << 20);
  constexpr std::uint64_t kRate = 2000;  // two a second
  struct Row {
    int ms;
    std::uint64_t excess;
  };
  // looked at and counted in this order; as nginx's arithmetic
  const Row rows[] = {{0, 0},       {0, 1000},    {0, 2000},  {250, 2500},  {250, 3500},
                      {2000, 1000}, {2500, 1000}, {10000, 0}, {9000, 1000}, {100000000, 0}};
  for (const auto& row : rows) {
    INFO(row.ms);
    CHECK(zone.look("key", kRate, at(row.ms)) == row.excess);
    CHECK(zone.look("key", kRate, at(row.ms)) == row.excess);  // looking counts nothing
    zone.count("key", kRate, at(row.ms));
  }
  CHECK(zone.look("other", kRate, at(0)) == 0);
}

TEST_CASE("a full rate zone forgets what was not used for longest") {
  RateZone zone(10 * (kLimitKeyBytes + 4));
  for (int i = 0; i < 10; ++i)
    zone.count("k" + std::to_string(100 + i), 1, at(0));
  CHECK(zone.size() == 10);
  zone.look("k100", 1, at(1));
  zone.count("knew", 1, at(2));
  CHECK(zone.size() == 10);
  CHECK(zone.look("k100", 1, at(2)) == 1000);
  CHECK(zone.look("k101", 1, at(2)) == 0);  // was forgotten
}

TEST_CASE("what is old and owes nothing makes room before the zone is full") {
  RateZone zone(1 << 20);
  for (int i = 0; i < 3; ++i)
    zone.count("k" + std::to_string(i), 1000, at(0));
  zone.count("new", 1000, at(60000));
  CHECK(zone.size() == 2);
}

TEST_CASE("connections of a key are bounded, and so are the keys") {
  ConnectionZone zone(2 * (kLimitKeyBytes + 1));
  CHECK(zone.take("a", 2));
  CHECK(zone.take("a", 2));
  CHECK_FALSE(zone.take("a", 2));
  CHECK(zone.take("b", 1));
  CHECK_FALSE(zone.take("c", 1));
  zone.give_back("a");
  CHECK(zone.take("a", 2));
  zone.give_back("b");
  zone.give_back("b");  // once too often changes nothing
  CHECK(zone.size() == 1);
  CHECK(zone.take("c", 1));
}

TEST_CASE("a zone is found again by name, key and size while somebody uses it") {
  LimitZones zones;
  auto one = zones.rate_zone("one", "$a", 1 << 20);
  one->count("x", 1, at(0));
  CHECK(zones.rate_zone("one", "$a", 1 << 20) == one);
  CHECK(zones.rate_zone("one", "$b", 1 << 20) != one);
  CHECK(zones.rate_zone("one", "$a", 2 << 20) != one);
  one.reset();
  CHECK(zones.rate_zone("one", "$a", 1 << 20)->size() == 0);
}
