#include "tests/support/sim_loop.h"

#include <memory>
#include <string>
#include <vector>

#include "tests/support/catch.h"

using namespace gatescope;
using gatescope::test::Micros;
using gatescope::test::SimFaults;
using gatescope::test::SimLoop;
using gatescope::test::SimSizes;
using gatescope::test::SimSpan;
using gatescope::test::SimWorld;

namespace {

net::Endpoint server_address() {
  return net::Endpoint::ip("127.0.0.1", 80).value();
}

/// One end of a connection: keeps what it is told, and looks that the rules hold.
class Peer final : public net::StreamEvents {
 public:
  void take(std::unique_ptr<net::Stream> stream, bool read = true) {
    stream_ = std::move(stream);
    stream_->set_events(this);
    if (read) start();
  }
  void start() {
    reading = true;
    stream_->start_reading();
  }
  void stop() {
    reading = false;
    stream_->stop_reading();
  }
  Flow send(std::string text) {
    ByteQueue bytes;
    bytes.append(SharedBytes(std::move(text)));
    in_write = true;
    const Flow flow = stream_->write(bytes);
    in_write = false;
    CHECK(bytes.empty());
    return flow;
  }
  void on_data(std::span<const std::byte> data) override {
    alive();
    CHECK(reading);
    CHECK_FALSE(ended);
    got += as_text(data);
    pieces.push_back(data.size());
  }
  void on_end() override {
    alive();
    CHECK(reading);
    CHECK_FALSE(ended);
    ended = true;
  }
  void on_drained() override {
    alive();
    ++drained;
    unsent_when_drained = stream_->unsent();
  }
  void on_failed(const Error& error) override {
    alive();
    ++failed;
    kind = error.kind;
    origin = error.origin;
  }
  net::Stream* stream() { return stream_.get(); }
  void drop() { stream_.reset(); }

  std::string got;
  std::vector<std::size_t> pieces;
  bool reading = false, ended = false, in_write = false;
  int failed = 0, drained = 0;
  std::size_t unsent_when_drained = 0;
  ErrorKind kind{};
  Origin origin{};

 private:
  void alive() {
    CHECK_FALSE(in_write);
    CHECK(failed == 0);
  }
  std::unique_ptr<net::Stream> stream_;
};

class Acceptor final : public net::AcceptEvents {
 public:
  void on_accepted(std::unique_ptr<net::Stream> stream) override {
    streams.push_back(std::move(stream));
  }
  std::vector<std::unique_ptr<net::Stream>> streams;
};

class Dialer final : public net::ConnectEvents {
 public:
  void on_connected(std::unique_ptr<net::Stream> s) override { stream = std::move(s); }
  void on_connect_failed(const Error& error) override {
    failed = true;
    kind = error.kind;
  }
  bool over() const { return stream || failed; }
  std::unique_ptr<net::Stream> stream;
  bool failed = false;
  ErrorKind kind{};
};

/// Two loops and a connection between them.
struct Pair {
  explicit Pair(std::uint64_t seed, const SimFaults& faults = {}, bool read = true)
      : world(seed, faults), near(world, "near"), far(world, "far") {
    auto listener = far.listen(server_address(), {}, acceptor);
    Dialer dialer;
    auto connecting = near.connect(server_address(), Duration(60'000), dialer);
    REQUIRE(world.run_until([&] { return dialer.stream && !acceptor.streams.empty(); },
                            Duration(60'000)));
    client.take(std::move(dialer.stream), read);
    server.take(std::move(acceptor.streams.front()), read);
  }
  bool quiet() { return world.run_until_quiet(Duration(600'000)); }

  SimWorld world;
  SimLoop near, far;
  Acceptor acceptor;
  Peer client, server;
};

class Ticker final : public net::TimerEvents {
 public:
  explicit Ticker(SimLoop& loop, std::vector<std::string>& log, std::string name)
      : log_(log), name_(std::move(name)), timer(loop.make_timer(*this)) {}
  void on_timer(net::Timer&) override {
    log_.push_back(name_);
    if (drop_itself) timer.reset();
  }

 private:
  std::vector<std::string>& log_;
  const std::string name_;

 public:
  std::unique_ptr<net::Timer> timer;
  bool drop_itself = false;
};

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

}  // namespace

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

TEST_CASE("bytes arrive in order, then the end, and unread bytes wait") {
  Pair pair(1, {}, false);
  CHECK(pair.client.send("hello ") == Flow::GoOn);
  pair.client.send("world");
  pair.client.stream()->shut_down();
  CHECK(pair.quiet());
  CHECK(pair.server.got.empty());
  CHECK_FALSE(pair.server.ended);
  pair.server.start();
  CHECK(pair.quiet());
  CHECK(pair.server.got == "hello world");
  CHECK(pair.server.ended);
  pair.server.send("and back");  // half open
  pair.client.start();
  CHECK(pair.quiet());
  CHECK(pair.client.got == "and back");
  pair.client.drop();
  pair.server.drop();
  CHECK(pair.quiet());
  CHECK(pair.world.live().streams == 0);
  CHECK(pair.world.complaints().empty());
}

TEST_CASE("addresses are told to both ends") {
  Pair pair(1);
  CHECK(pair.client.stream()->peer() == server_address());
  CHECK(pair.server.stream()->local() == server_address());
  CHECK(pair.server.stream()->peer() == pair.client.stream()->local());
  CHECK(pair.server.stream()->peer().port() != 0);
}

TEST_CASE("who does not read holds the writer back") {
  Pair pair(3, {}, false);
  const std::string big = pattern(1'000'000);
  CHECK(pair.client.send(big) == Flow::Wait);
  CHECK(pair.quiet());
  const std::size_t held = pair.client.stream()->unsent();
  CHECK(held > net::Stream::kHighWater);
  CHECK(held < big.size());
  CHECK(pair.client.drained == 0);
  pair.server.start();
  CHECK(pair.quiet());
  CHECK(pair.client.drained == 1);
  CHECK(pair.client.unsent_when_drained < net::Stream::kHighWater / 2);
  CHECK(pair.server.got == big);
}

TEST_CASE("a reset is told once, to who reads or writes") {
  Pair pair(4);
  pair.client.send("x");
  pair.client.stream()->reset_on_close();
  pair.client.drop();
  CHECK(pair.quiet());
  CHECK(pair.server.failed == 1);
  CHECK(pair.server.kind == ErrorKind::Reset);
  CHECK(pair.server.origin == Origin::Client);
  CHECK(pair.server.send("y") == Flow::Wait);
  CHECK(pair.quiet());

  Pair deaf(4, {}, false);
  deaf.client.stream()->reset_on_close();
  deaf.client.drop();
  CHECK(deaf.quiet());
  CHECK(deaf.server.failed == 0);  // as libuv: nobody asked
  deaf.server.send("y");
  CHECK(deaf.server.failed == 0);  // never from inside write()
  CHECK(deaf.quiet());
  CHECK(deaf.server.failed == 1);
}

TEST_CASE("writing to a closed end comes back as a reset") {
  Pair pair(5);
  pair.server.drop();
  CHECK(pair.quiet());
  CHECK(pair.client.ended);
  pair.client.send("anybody there?");
  CHECK(pair.quiet());
  pair.client.send("hello?");
  CHECK(pair.quiet());
  CHECK(pair.client.failed == 1);
}

TEST_CASE("connect: refused, not answered, a backlog that waits") {
  SimFaults faults;
  SimWorld world(6, faults);
  SimLoop loop(world);
  Dialer nobody;
  auto connecting = loop.connect(server_address(), Duration(1000), nobody);
  CHECK_FALSE(nobody.failed);
  CHECK(world.run_until_quiet(Duration(5000)));
  CHECK(nobody.failed);
  CHECK(nobody.kind == ErrorKind::Refused);

  Acceptor acceptor;
  auto listener = loop.listen(server_address(), {}, acceptor).value();
  listener->stop_accepting();
  Dialer waits;
  connecting = loop.connect(server_address(), Duration(1000), waits);
  CHECK(world.run_until_quiet(Duration(5000)));
  CHECK(waits.stream);
  CHECK(acceptor.streams.empty());
  listener->resume_accepting();
  CHECK(world.run_until_quiet(Duration(5000)));
  CHECK(acceptor.streams.size() == 1);

  faults.no_answer = 1;
  world.set_faults(faults);
  Dialer lost;
  connecting = loop.connect(server_address(), Duration(1000), lost);
  CHECK(world.run_until_quiet(Duration(5000)));
  CHECK(lost.kind == ErrorKind::Timeout);

  faults = SimFaults{};
  faults.refuse = 1;
  world.set_faults(server_address(), faults);
  Dialer refused;
  connecting = loop.connect(server_address(), Duration(1000), refused);
  CHECK(world.run_until_quiet(Duration(5000)));
  CHECK(refused.kind == ErrorKind::Refused);
  world.set_faults({});
  world.set_faults(server_address(), {});

  Dialer given_up;
  connecting = loop.connect(server_address(), Duration(1000), given_up);
  connecting.reset();
  CHECK(world.run_until_quiet(Duration(5000)));
  CHECK_FALSE(given_up.over());
  CHECK(world.live().connectings == 0);

  auto any = loop.listen(net::Endpoint::ip("0.0.0.0", 0).value(), {}, acceptor).value();
  CHECK(any->local().port() != 0);
  Dialer to_any;
  connecting =
      loop.connect(server_address().with_port(any->local().port()), Duration(1000), to_any);
  CHECK(world.run_until_quiet(Duration(5000)));
  CHECK(to_any.stream);
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
