// Connections of the simulated world.

#include "tests/unit/http/sim_fixture.h"

using namespace gatescope;
using namespace gatescope::test;

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
