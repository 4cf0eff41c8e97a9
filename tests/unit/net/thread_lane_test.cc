#include <pthread.h>

#include <atomic>
#include <latch>
#include <set>
#include <stdexcept>
#include <thread>

#include "tests/unit/net/net_fixture.h"

using namespace gatescope;
using namespace gatescope::net;

TEST_CASE("work runs on a thread of the lane, done on the loop") {
  LoopFixture f;
  const auto lane = f.loop->make_lane({"lane-test", 2, 16});
  const auto here = std::this_thread::get_id();
  auto name = std::make_shared<std::string>();
  auto there = std::make_shared<std::thread::id>();
  bool done = false;
  auto ticket = lane->submit(
      [name, there](unsigned thread) {
        char text[16] = "";
        ::pthread_getname_np(::pthread_self(), text, sizeof(text));
        *name = text;
        *there = std::this_thread::get_id();
        if (thread >= 2) name->clear();
      },
      [&] {
        CHECK(std::this_thread::get_id() == here);
        done = true;
      });
  REQUIRE(ticket);
  CHECK(!done);
  f.until([&] { return done; });
  CHECK(*name == "lane-test");
  CHECK(*there != here);
}

TEST_CASE("the threads of a lane work side by side, each with its number") {
  LoopFixture f;
  const auto lane = f.loop->make_lane({"lane", 3, 16});
  auto together = std::make_shared<std::latch>(3);  // passes only if all three run at once
  auto numbers = std::make_shared<std::array<std::atomic<int>, 3>>();
  int done = 0;
  std::vector<std::unique_ptr<WorkerLane::Ticket>> tickets;
  for (int i = 0; i < 3; ++i) {
    auto ticket = lane->submit(
        [together, numbers](unsigned thread) {
          ++(*numbers)[thread];
          together->arrive_and_wait();
        },
        [&] { ++done; });
    REQUIRE(ticket);
    tickets.push_back(std::move(ticket).value());
  }
  f.until([&] { return done == 3; });
  for (const auto& n : *numbers)
    CHECK(n == 1);
}

namespace {

/// A lane of one thread that is busy until release().
struct BusyLane {
  explicit BusyLane(LoopFixture& f, std::size_t limit)
      : lane(f.loop->make_lane({"busy", 1, limit})) {
    auto result = lane->submit(
        [started = started, gate = gate](unsigned) {
          started->count_down();
          gate->wait();
        },
        [this] { first_done = true; });
    REQUIRE(result);
    first = std::move(result).value();
    started->wait();
  }
  ~BusyLane() { release(); }
  void release() {
    if (!gate->try_wait()) gate->count_down();
  }
  std::shared_ptr<std::latch> started = std::make_shared<std::latch>(1);
  std::shared_ptr<std::latch> gate = std::make_shared<std::latch>(1);
  std::shared_ptr<WorkerLane> lane;
  std::unique_ptr<WorkerLane::Ticket> first;
  bool first_done = false;
};

}  // namespace

TEST_CASE("a full queue answers Busy, and takes work again later") {
  LoopFixture f;
  BusyLane busy(f, 2);
  int done = 0;
  auto a = busy.lane->submit([](unsigned) {}, [&] { ++done; });
  auto b = busy.lane->submit([](unsigned) {}, [&] { ++done; });
  REQUIRE(a);
  REQUIRE(b);
  CHECK(busy.lane->waiting() == 2);
  const auto refused = busy.lane->submit([](unsigned) {}, [] {});
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::Busy);
  busy.release();
  f.until([&] { return done == 2; });
  CHECK(busy.lane->waiting() == 0);
  CHECK(busy.lane->submit([](unsigned) {}, [] {}));
}

TEST_CASE("dropping the ticket drops done, work that waits leaves the queue") {
  LoopFixture f;
  BusyLane busy(f, 4);
  auto ran = std::make_shared<std::atomic<bool>>(false);
  bool done = false;
  auto waiting = busy.lane->submit([ran](unsigned) { *ran = true; }, [&] { done = true; });
  REQUIRE(waiting);
  CHECK(busy.lane->waiting() == 1);
  waiting.value().reset();
  CHECK(busy.lane->waiting() == 0);
  busy.first.reset();  // runs already
  bool last = false;
  const auto after = busy.lane->submit([](unsigned) {}, [&] { last = true; });
  busy.release();
  f.until([&] { return last; });
  CHECK(!*ran);
  CHECK(!done);
  CHECK(!busy.first_done);
}

TEST_CASE("a ticket dropped after the work but before done still counts") {
  LoopFixture f;
  const auto lane = f.loop->make_lane({"lane", 1, 4});
  auto worked = std::make_shared<std::latch>(1);
  bool done = false;
  auto ticket = lane->submit([worked](unsigned) { worked->count_down(); }, [&] { done = true; });
  worked->wait();
  ticket.value().reset();
  f.turns(5);
  CHECK(!done);
}

TEST_CASE("work that throws is logged and done all the same") {
  LoopFixture f;
  const auto lane = f.loop->make_lane({"lane", 1, 4});
  bool done = false;
  const auto ticket =
      lane->submit([](unsigned) { throw std::runtime_error("oops"); }, [&] { done = true; });
  f.until([&] { return done; });
  REQUIRE(f.log.lines().size() == 1);
  CHECK(f.log.lines()[0].second == "work on lane \"lane\" threw: oops");
}

TEST_CASE("the loop ends its lanes: what waits is dropped, later work refused") {
  std::shared_ptr<WorkerLane> lane;
  std::unique_ptr<WorkerLane::Ticket> ticket;
  bool done = false;
  {
    LoopFixture f;
    BusyLane busy(f, 4);
    lane = busy.lane;
    ticket = std::move(lane->submit([](unsigned) {}, [&] { done = true; })).value();
    busy.release();
  }
  CHECK(!done);
  CHECK(lane->submit([](unsigned) {}, [] {}).error().kind == ErrorKind::Cancelled);
}

TEST_CASE("a lane may end before its loop and its tickets") {
  LoopFixture f;
  auto lane = f.loop->make_lane({"lane", 2, 64});
  std::vector<std::unique_ptr<WorkerLane::Ticket>> tickets;
  for (int i = 0; i < 20; ++i) {
    tickets.push_back(std::move(lane->submit([](unsigned) {}, [] {})).value());
  }
  lane.reset();
  f.turns(3);
  tickets.clear();
}
