#include <algorithm>

#include "tests/unit/net/net_fixture.h"

using namespace gatescope;
using namespace gatescope::net;

namespace {

struct TimerRecorder : TimerEvents {
  explicit TimerRecorder(Loop& loop) : loop(loop) {}
  void on_timer(Timer& timer) override {
    fired.push_back(loop.clock().now());
    if (again > 0) {
      --again;
      timer.start(Duration(0));
    }
    if (doomed) doomed.reset();
  }
  Loop& loop;
  std::vector<MonoTime> fired;
  int again = 0;
  std::unique_ptr<Timer> doomed;
};

}  // namespace

TEST_CASE("a timer fires once, not before its time") {
  LoopFixture f;
  TimerRecorder events(*f.loop);
  const auto timer = f.loop->make_timer(events);
  CHECK(!timer->running());
  const MonoTime start = f.loop->clock().now();
  timer->start(Duration(7));
  CHECK(timer->running());
  f.until([&] { return !events.fired.empty(); });
  CHECK(events.fired[0] >= start + Duration(7));
  CHECK(!timer->running());
  f.turns(10);
  CHECK(events.fired.size() == 1);
}

TEST_CASE("a deadline may move away, near, and away again") {
  LoopFixture f;
  TimerRecorder events(*f.loop);
  const auto timer = f.loop->make_timer(events);
  const MonoTime start = f.loop->clock().now();
  timer->start(Duration(5));
  timer->start(Duration(30));  // later: libuv's timer stays and looks again
  f.until([&] { return !events.fired.empty(); });
  CHECK(events.fired[0] >= start + Duration(30));

  timer->start(Duration(60'000));
  timer->start(Duration(1));  // earlier
  f.until([&] { return events.fired.size() == 2; });
  CHECK(events.fired[1] < start + Duration(30'000));
}

TEST_CASE("a stopped timer does not fire, and may start again") {
  LoopFixture f;
  TimerRecorder events(*f.loop);
  const auto timer = f.loop->make_timer(events);
  timer->start(Duration(1));
  timer->stop();
  CHECK(!timer->running());
  f.turns(10);
  CHECK(events.fired.empty());
  timer->start(Duration(1));
  f.until([&] { return events.fired.size() == 1; });
}

TEST_CASE("zero fires soon, and a timer that starts itself with zero lets others run") {
  LoopFixture f;
  TimerRecorder events(*f.loop);
  events.again = 1'000'000;
  const auto timer = f.loop->make_timer(events);
  timer->start(Duration(0));
  bool posted = false;
  f.loop->post([&] { posted = true; });
  f.until([&] { return posted && events.fired.size() > 3; });
  timer->stop();
}

TEST_CASE("timers fire in the order of their deadlines") {
  LoopFixture f;
  std::vector<int> order;
  struct One : TimerEvents {
    One(std::vector<int>& order, int number) : order(order), number(number) {}
    void on_timer(Timer&) override { order.push_back(number); }
    std::vector<int>& order;
    int number;
  } a(order, 1), b(order, 2), c(order, 3);
  const auto ta = f.loop->make_timer(a);
  const auto tb = f.loop->make_timer(b);
  const auto tc = f.loop->make_timer(c);
  tc->start(Duration(15));
  tb->start(Duration(10));
  ta->start(Duration(5));
  f.until([&] { return order.size() == 3; });
  CHECK(order == std::vector{1, 2, 3});
}

TEST_CASE("a timer may be destroyed while it runs, also by its own event") {
  LoopFixture f;
  TimerRecorder events(*f.loop);
  f.loop->make_timer(events)->start(Duration(0));
  f.turns(3);
  CHECK(events.fired.empty());
  events.doomed = f.loop->make_timer(events);
  events.doomed->start(Duration(0));
  f.until([&] { return events.fired.size() == 1; });
  CHECK(!events.doomed);
}

TEST_CASE(
    "of many timers that are moved, stopped and destroyed, each left fires once and in order") {
  struct Ordered : TimerEvents {
    void on_timer(Timer& timer) override { fired.push_back(&timer); }
    std::vector<Timer*> fired;
  };
  LoopFixture f;
  Ordered events;
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 400; ++i)
    timers.push_back(f.loop->make_timer(events));
  std::vector<std::pair<int, Timer*>> expected;  // after so many milliseconds
  for (int i = 0; i < 400; ++i) {
    timers[i]->start(Duration(1000 + i * 7919 % 400));  // all over the heap
    const int after = 1 + i * 104729 % 97;
    if (i % 5 == 0) timers[i]->stop();
    if (i % 5 == 1) timers[i].reset();
    if (i % 5 < 2) continue;
    timers[i]->start(Duration(after));
    expected.emplace_back(after, timers[i].get());
  }
  f.until([&] { return events.fired.size() >= expected.size(); });
  f.turns(10);
  REQUIRE(events.fired.size() == expected.size());
  std::vector<int> order;
  for (auto* timer : events.fired) {
    const auto place = std::find_if(expected.begin(), expected.end(),
                                    [timer](const auto& e) { return e.second == timer; });
    REQUIRE(place != expected.end());
    order.push_back(place->first);
    place->second = nullptr;  // not twice
  }
  // All were started within the same turn, by one reading of the clock.
  CHECK(std::is_sorted(order.begin(), order.end()));
}
