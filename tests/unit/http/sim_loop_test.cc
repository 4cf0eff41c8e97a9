// Time, turns, lanes and rules of the simulated loop.

#include "tests/unit/http/sim_fixture.h"

using namespace gatescope;
using namespace gatescope::test;

TEST_CASE("timers fire in the order of their times, and only once") {
  SimWorld world(1);
  SimLoop loop(world);
  std::vector<std::string> log;
  Ticker late(loop, log, "late"), early(loop, log, "early"), moved(loop, log, "moved");
  Ticker stopped(loop, log, "stopped");
  late.timer->start(Duration(20));
  early.timer->start(Duration(10));
  moved.timer->start(Duration(5));
  moved.timer->start(Duration(30));
  stopped.timer->start(Duration(1));
  stopped.timer->stop();
  late.drop_itself = true;
  CHECK(early.timer->running());
  CHECK(world.run_until_quiet(Duration(1000)));
  CHECK(log == std::vector<std::string>{"early", "late", "moved"});
  CHECK_FALSE(early.timer->running());
  CHECK(world.now() - world.start() == Duration(30));
  CHECK(loop.clock().wall() > WallTime());
  CHECK(world.live().timers == 3);
}

TEST_CASE("events of one instant come in the order they were made") {
  SimWorld world(1);
  SimLoop loop(world);
  std::vector<int> order;
  for (int i = 0; i < 5; ++i)
    loop.post([&order, i] { order.push_back(i); });
  CHECK(world.run_until_quiet(Duration(10)));
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4});
}

TEST_CASE("a turn is one event, then the hooks, then the bin") {
  SimWorld world(1);
  SimLoop loop(world);
  std::vector<std::string> log;
  struct Hook final : net::TurnHook {
    std::vector<std::string>& log;
    explicit Hook(std::vector<std::string>& l) : log(l) {}
    void on_turn_end() override { log.push_back("hook"); }
  } hook(log);
  struct Refuse {
    std::vector<std::string>& log;
    ~Refuse() { log.push_back("bin"); }
  };
  loop.post([&] {
    loop.discard(std::unique_ptr<Refuse>(new Refuse{log}));
    loop.at_turn_end(hook);
    loop.at_turn_end(hook);
    log.push_back("event");
  });
  loop.post([&] { log.push_back("next"); });
  CHECK(world.run_until_quiet(Duration(10)));
  CHECK(log == std::vector<std::string>{"event", "hook", "bin", "next"});

  log.clear();
  loop.at_turn_end(hook);  // between turns: there will be one
  CHECK(world.run_until_quiet(Duration(10)));
  CHECK(log == std::vector<std::string>{"hook"});
}

TEST_CASE("a busy loop finds several events in one turn") {
  SimFaults faults;
  faults.busy = 1;
  faults.busy_for = {Micros(5000), Micros(5000)};
  SimWorld world(1, faults);
  SimLoop loop(world), other(world, "other");
  std::vector<std::string> log;
  struct Hook final : net::TurnHook {
    std::vector<std::string>& log;
    explicit Hook(std::vector<std::string>& l) : log(l) {}
    void on_turn_end() override { log.push_back("hook"); }
  } hook(log);
  Ticker due(loop, log, "due"), later(loop, log, "later"), elsewhere(other, log, "elsewhere");
  due.timer->start(Duration(3));
  later.timer->start(Duration(6));
  elsewhere.timer->start(Duration(1));
  loop.post([&] {
    log.push_back("first");
    loop.at_turn_end(hook);
    loop.post([&] { log.push_back("posted"); });
  });
  CHECK(world.run_until_quiet(Duration(100)));
  CHECK(log == std::vector<std::string>{"first", "elsewhere", "due", "hook", "posted", "later"});
  CHECK(world.complaints().empty());
}

TEST_CASE("a lane: threads work at the same time, its queue is bounded, tickets drop") {
  SimFaults faults;
  faults.work_time = {Micros(10'000), Micros(10'000)};
  SimWorld world(7, faults);
  SimLoop loop(world);
  auto lane = loop.make_lane({"lane", 2, 3});
  std::vector<std::string> log;
  const auto submit = [&](const std::string& name) {
    return lane->submit(
        [&log, name](unsigned thread) { log.push_back(name + std::to_string(thread)); },
        [&log, name] { log.push_back(name + " done"); });
  };
  auto a = submit("a"), b = submit("b");
  CHECK(lane->waiting() == 2);
  world.run_for(Duration(1));
  CHECK(lane->waiting() == 0);
  auto c = submit("c"), d = submit("d"), e = submit("e"), f = submit("f");
  REQUIRE(e);
  REQUIRE_FALSE(f);
  CHECK(f.error().kind == ErrorKind::Busy);
  CHECK(world.live().tickets == 5);
  b.value().reset();  // begun: it runs, and says nothing
  d.value().reset();  // waits: it never runs
  CHECK(world.run_until_quiet(Duration(1000)));
  CHECK(log == std::vector<std::string>{"a0", "b1", "a done", "c0", "e1", "c done", "e done"});
  CHECK(world.now() - world.start() < Duration(21));
  for (auto* ticket : {&a, &b, &c, &d, &e})
    ticket->value().reset();
  CHECK(world.live().none());
}

TEST_CASE("no processes, silent descriptors") {
  SimWorld world(8);
  SimLoop loop(world);
  struct Nothing final : net::ProcessEvents, net::DescriptorEvents {
    void on_exit(int) override {}
    void on_ready(int, bool, bool) override {}
  } nothing;
  CHECK_FALSE(loop.spawn({{"/bin/true"}, {}, "/", "", "", 0}, nothing));
  auto watch = loop.watch(3, nothing);
  watch->set(true, true);
  CHECK(world.run_until_quiet(Duration(1000)));
}

TEST_CASE("run_until tells a deadline from a standstill") {
  SimWorld world(9);
  SimLoop loop(world);
  std::vector<std::string> log;
  Ticker ticker(loop, log, "tick");
  ticker.timer->start(Duration(100));
  CHECK_FALSE(world.run_until([&] { return !log.empty(); }, Duration(50)));
  CHECK_FALSE(world.stuck());
  CHECK(world.run_until([&] { return !log.empty(); }, Duration(50)));
  CHECK_FALSE(world.run_until([&] { return log.size() > 1; }, Duration(50)));
  CHECK(world.stuck());
}

TEST_CASE("broken rules are told") {
  Pair pair(10);
  struct Rude final : net::StreamEvents {
    std::unique_ptr<net::Stream> stream;
    void on_data(std::span<const std::byte>) override { stream.reset(); }
    void on_end() override {}
    void on_drained() override {}
    void on_failed(const Error&) override {}
  } rude;
  Dialer dialer;
  auto listener = pair.far.listen(server_address().with_port(81), {}, pair.acceptor);
  auto connecting = pair.near.connect(server_address().with_port(81), Duration(1000), dialer);
  pair.quiet();
  rude.stream = std::move(dialer.stream);
  rude.stream->set_events(&rude);
  rude.stream->start_reading();
  ByteQueue bytes;
  bytes.append_copy("x");
  pair.acceptor.streams.back()->write(bytes);
  pair.quiet();
  CHECK(pair.world.complaints().size() == 1);
  pair.far.post([&] { pair.client.send("not from this loop"); });
  pair.quiet();
  CHECK(pair.world.complaints().size() == 2);
}
