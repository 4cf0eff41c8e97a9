#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/net/net_fixture.h"

using namespace gatescope;
using namespace gatescope::net;

namespace {

struct ReadyRecorder : DescriptorEvents {
  void on_ready(int, bool r, bool w) override {
    readable += r;
    writable += w;
    if (leave) watch.reset();
  }
  int readable = 0;
  int writable = 0;
  bool leave = false;
  std::unique_ptr<DescriptorWatch> watch;
};

}  // namespace

TEST_CASE("a watch tells what it was asked for, and nothing else") {
  LoopFixture f;
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
  const UniqueFd a(ends[0]), b(ends[1]);
  ReadyRecorder events;
  events.watch = f.loop->watch(a.get(), events);
  f.turns(3);
  CHECK(events.readable + events.writable == 0);
  events.watch->set(false, true);
  f.until([&] { return events.writable > 0; });
  events.watch->set(true, false);
  const int before = events.writable;
  REQUIRE(::write(b.get(), "x", 1) == 1);
  f.until([&] { return events.readable > 0; });
  CHECK(events.writable == before);
  events.watch->set(false, false);
  const int seen = events.readable;
  f.turns(5);
  CHECK(events.readable == seen);
  events.leave = true;  // destroyed by its own event
  events.watch->set(true, false);
  f.until([&] { return !events.watch; });
}

TEST_CASE("a descriptor that cannot be watched is logged, its watch is silent") {
  const TempFolder folder;
  LoopFixture f;
  const UniqueFd file(::open((folder / "file").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  ReadyRecorder events;
  events.watch = f.loop->watch(file.get(), events);
  events.watch->set(true, true);
  f.turns(3);
  CHECK(events.readable + events.writable == 0);
  REQUIRE(f.log.lines().size() == 1);
  CHECK(f.log.lines()[0].first == LogLevel::Alert);
}
