#include "proxy/net/uv_loop.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "proxy/net/uv_core.h"
#include "tests/unit/net/net_fixture.h"

using namespace gatescope;
using namespace gatescope::net;

namespace {

struct Noted {
  explicit Noted(int& gone) : gone(gone) {}
  ~Noted() { ++gone; }
  int& gone;
};

struct CallingHook : TurnHook {
  explicit CallingHook(std::function<void()> f) : f(std::move(f)) {}
  void on_turn_end() override { f(); }
  std::function<void()> f;
};

}  // namespace

TEST_CASE("what is discarded goes at the end of the turn, after the hooks") {
  LoopFixture f;
  int gone = 0;
  int gone_at_hook = -1;
  CallingHook hook([&] { gone_at_hook = gone; });
  f.loop->post([&] {
    f.loop->at_turn_end(hook);
    f.loop->discard(std::make_unique<Noted>(gone));
    CHECK(gone == 0);
  });
  f.until([&] { return gone == 1; });
  CHECK(gone_at_hook == 0);
}

TEST_CASE("hooks may discard, and destructors in the bin may add hooks and discard") {
  LoopFixture f;
  int gone = 0;
  CallingHook last([&] { gone += 10; });
  struct Chain {
    ~Chain() {
      f.loop->at_turn_end(last);
      f.loop->discard(std::make_unique<Noted>(gone));
    }
    LoopFixture& f;
    CallingHook& last;
    int& gone;
  };
  CallingHook first([&] { f.loop->discard(std::unique_ptr<Chain>(new Chain{f, last, gone})); });
  f.loop->at_turn_end(first);
  f.loop->post([] {});
  f.loop->run_turn();
  CHECK(gone == 11);
}

TEST_CASE("what is in the bin when the loop ends is destroyed") {
  int gone = 0;
  {
    LoopFixture f;
    f.loop->discard(std::make_unique<Noted>(gone));
  }
  CHECK(gone == 1);
}

TEST_CASE("posts from another thread run on the loop, in order") {
  LoopFixture f;
  const auto loop_thread = std::this_thread::get_id();
  std::vector<int> order;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) {
      f.loop->post([&, i] {
        if (std::this_thread::get_id() == loop_thread) order.push_back(i);
      });
    }
    f.loop->post([&] { f.loop->stop(); });
  });
  f.loop->run();
  other.join();
  REQUIRE(order.size() == 1000);
  for (int i = 0; i < 1000; ++i)
    CHECK(order[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("a task posted by a task runs in a later turn") {
  LoopFixture f;
  int turn = 0;
  int first = -1;
  int second = -1;
  f.loop->post([&] {
    first = turn;
    f.loop->post([&] { second = turn; });
  });
  while (second < 0 && turn < 10) {
    f.loop->run_turn();
    ++turn;
  }
  CHECK(first >= 0);
  CHECK(second > first);
}

TEST_CASE("run() may be called again after stop()") {
  LoopFixture f;
  for (int i = 0; i < 3; ++i) {
    f.loop->post([&] { f.loop->stop(); });
    f.loop->run();
  }
  SUCCEED();
}

TEST_CASE("a runaway hook is logged and the loop goes on") {
  LoopFixture f;
  bool stop = false;
  CallingHook hook([&] {
    if (!stop) f.loop->at_turn_end(hook);
  });
  f.loop->at_turn_end(hook);
  f.until([&] { return !f.log.lines().empty(); });
  stop = true;
  CHECK(f.log.lines().front().first == LogLevel::Alert);
  f.until([&] { return !hook.scheduled(); });
}

TEST_CASE("of many who want the next turn, so many go on in each, in order, and others are heard") {
  LoopFixture f;
  std::vector<int> ran;
  std::vector<std::unique_ptr<CallingHook>> hooks;
  for (int i = 0; i < 200; ++i)
    hooks.push_back(std::make_unique<CallingHook>([&ran, i] { ran.push_back(i); }));
  std::size_t heard = 0, before = 0, most = 0;
  std::function<void()> other = [&] {  // somebody else's work, each turn
    ++heard;
    most = std::max(most, ran.size() - before);
    before = ran.size();
    if (ran.size() < hooks.size()) f.loop->post(other);
  };
  f.loop->post([&] {
    for (const auto& hook : hooks)
      f.loop->at_next_turn_end(*hook);
    f.loop->post(other);
  });
  f.until([&] { return ran.size() == hooks.size(); });
  CHECK(std::is_sorted(ran.begin(), ran.end()));
  CHECK(most <= 2 * NextTurns::kPerTurn);  // run_turn() ends a turn once more
  CHECK(heard >= hooks.size() / (2 * NextTurns::kPerTurn));
}

TEST_CASE("the clock stands still within a turn and moves between turns") {
  LoopFixture f;
  const Clock& clock = f.loop->clock();
  MonoTime first, second;
  f.loop->post([&] {
    first = clock.now();
    const SystemClock real;
    const auto start = real.now();
    while (real.now() < start + std::chrono::milliseconds(2)) {
    }
    CHECK(clock.now() == first);
    CHECK(clock.wall() == clock.wall());
  });
  f.until([&] { return first != MonoTime{}; });
  f.loop->post([&] { second = clock.now(); });
  f.until([&] { return second != MonoTime{}; });
  CHECK(second >= first + std::chrono::milliseconds(2));
}

TEST_CASE("signals arrive at their receiver") {
  LoopFixture f;
  struct : SignalEvents {
    void on_signal(int number) override { numbers.push_back(number); }
    std::vector<int> numbers;
  } events;
  f.loop->watch_signals({SIGUSR1, SIGUSR2}, events);
  ::kill(::getpid(), SIGUSR2);
  f.until([&] { return events.numbers.size() == 1; });
  ::kill(::getpid(), SIGUSR1);
  f.until([&] { return events.numbers.size() == 2; });
  CHECK(events.numbers == std::vector{SIGUSR2, SIGUSR1});
}
