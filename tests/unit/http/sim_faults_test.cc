// Faults by seed.

#include "tests/unit/http/sim_fixture.h"

using namespace gatescope;
using namespace gatescope::test;

TEST_CASE("harmless faults change the pieces and the time, not the bytes") {
  SimFaults faults;
  faults.latency = {Micros(10), Micros(50'000)};
  faults.fragment = 0.7;
  faults.stall = 0.1;
  faults.bytewise = 0.5;
  faults.slow_reader = 0.5;
  const std::string up = pattern(50'000), down = pattern(400'000);
  int bytewise = 0, slow = 0, fragmented = 0, stalled = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Pair pair(seed, faults);
    pair.client.send(up);
    pair.server.send(down);
    pair.client.stream()->shut_down();
    pair.server.stream()->shut_down();
    CHECK(pair.quiet());
    CHECK(pair.server.got == up);
    CHECK(pair.client.got == down);
    CHECK(pair.client.ended);
    CHECK(pair.server.ended);
    CHECK(pair.world.complaints().empty());
    const auto& happened = pair.world.happened();
    bytewise += happened.bytewise;
    slow += happened.slow_readers;
    fragmented += happened.fragmented;
    stalled += happened.stalled;
  }
  CHECK(bytewise > 5);
  CHECK(slow > 5);
  CHECK(fragmented > 5);
  CHECK(stalled > 5);
}

TEST_CASE("harmful faults happen, and bytes are never wrong") {
  SimFaults faults;
  faults.fragment = 0.5;
  faults.cut = 0.3;
  faults.stall_for_ever = 0.2;
  faults.half_close_by_client = faults.half_close_by_server = 0.2;
  const std::string text = pattern(30'000);
  int cuts = 0, stalls = 0, half = 0, whole = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Pair pair(seed, faults);
    pair.client.send(text);
    pair.server.send(text);
    pair.client.stream()->shut_down();
    pair.server.stream()->shut_down();
    CHECK(pair.quiet());
    for (const Peer* peer : {&pair.client, &pair.server}) {
      CHECK(text.compare(0, peer->got.size(), peer->got) == 0);
      CHECK(peer->failed <= 1);
    }
    whole += pair.client.got == text && pair.server.got == text;
    cuts += pair.world.happened().cuts;
    stalls += pair.world.happened().stalled_for_ever;
    half += pair.world.happened().half_closes;
  }
  CHECK(cuts > 10);
  CHECK(stalls > 10);
  CHECK(half > 10);
  CHECK(whole > 10);
}

TEST_CASE("the same seed gives the same trace, another one another") {
  const auto trace = [](std::uint64_t seed) {
    SimFaults faults;
    faults.latency = {Micros(10), Micros(5000)};
    faults.fragment = faults.stall = faults.slow_reader = faults.cut = 0.3;
    Pair pair(seed, faults);
    pair.client.send(pattern(20'000));
    pair.server.send(pattern(20'000));
    pair.quiet();
    return pair.world.trace_hash();
  };
  CHECK(trace(1) == trace(1));
  CHECK(trace(2) == trace(2));
  CHECK(trace(1) != trace(2));
}
