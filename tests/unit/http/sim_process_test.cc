#include "tests/support/sim_process.h"

#include <signal.h>

#include <string>

#include "tests/support/catch.h"
#include "tests/support/sim_loop.h"

using namespace gatescope;
using namespace gatescope::test;

namespace {

struct Ear : net::StreamEvents {
  std::string data;
  bool ended = false;
  int failed = 0;
  void on_data(std::span<const std::byte> bytes) override { data += as_text(bytes); }
  void on_end() override { ended = true; }
  void on_drained() override {}
  void on_failed(const Error&) override { ++failed; }
};

struct Exits : net::ProcessEvents {
  void on_exit(int s) override {
    ++count;
    status = s;
  }
  int count = 0, status = 0;
};

void say(net::Stream& stream, std::string text) {
  ByteQueue bytes;
  bytes.append(SharedBytes(std::move(text)));
  stream.write(bytes);
}

/// Says back what it hears; "bye" ends it.
class Echo final : public SimProgram, private net::StreamEvents {
 public:
  Echo(SimChild& child, std::string& signals) : child_(child), signals_(signals) {
    child_.stream()->set_events(this);
    child_.stream()->start_reading();
  }
  void on_signal(int number) override { signals_ += number == SIGSTOP ? "stop " : "cont "; }

 private:
  void on_data(std::span<const std::byte> bytes) override {
    say(*child_.stream(), std::string(as_text(bytes)));
    if (as_text(bytes) == "bye") child_.exit(3);
  }
  void on_end() override { child_.exit(0); }
  void on_drained() override {}
  void on_failed(const Error&) override {}

  SimChild& child_;
  std::string& signals_;
};

struct SimProcessFixture {
  SimWorld world{1};
  SimLoop loop{world};
  std::string signals;
  Exits exits;
  Ear ear;
  std::unique_ptr<net::Process> process;
  std::unique_ptr<net::Stream> stream;

  SimProcessFixture() {
    world.set_program("/bin/echo",
                      [this](SimChild& child) { return std::make_unique<Echo>(child, signals); });
    loop.turn([&] {
      process = loop.spawn({.argv = {"/bin/echo"}, .talks = true}, exits).value();
      stream = process->take_stream();
      stream->set_events(&ear);
      stream->start_reading();
    });
  }
  ~SimProcessFixture() {
    loop.turn([&] {
      loop.discard(std::move(stream));
      loop.discard(std::move(process));
    });
    world.run_until_quiet(Duration(1000));
    CHECK(world.live().none());
    CHECK(world.complaints().empty());
  }
};

}  // namespace

TEST_CASE("a simulated child talks, and what it said is heard after its end") {
  SimProcessFixture f;
  f.loop.turn([&] { say(*f.stream, "bye"); });
  REQUIRE(f.world.run_until([&] { return f.exits.count == 1; }, Duration(100)));
  CHECK(f.exits.status == 3 << 8);
  REQUIRE(f.world.run_until([&] { return f.ear.ended; }, Duration(100)));
  CHECK(f.ear.data == "bye");
}

TEST_CASE("a simulated child is stopped, goes on and is killed") {
  SimProcessFixture f;
  f.loop.turn([&] {
    f.process->signal(SIGSTOP);
    f.process->signal(SIGCONT);
    f.process->signal(SIGKILL);
    f.process->signal(SIGCONT);  // nobody is there
  });
  CHECK(f.signals == "stop cont ");
  REQUIRE(f.world.run_until([&] { return f.exits.count == 1; }, Duration(100)));
  CHECK(f.exits.status == SIGKILL);
}

TEST_CASE("destroying a simulated process ends the child, and nobody is told") {
  SimProcessFixture f;
  CHECK(f.world.live().children == 1);
  f.loop.turn([&] { f.loop.discard(std::move(f.process)); });
  f.world.run_until_quiet(Duration(1000));
  CHECK(f.world.live().children == 0);
  CHECK(f.exits.count == 0);
  CHECK(f.ear.ended);
}

TEST_CASE("a program that the simulated world has not is an error of spawn") {
  SimProcessFixture f;
  f.loop.turn([&] {
    const auto process = f.loop.spawn({.argv = {"/bin/none"}}, f.exits);
    REQUIRE(!process);
    CHECK(process.error().kind == ErrorKind::Unavailable);
  });
}
