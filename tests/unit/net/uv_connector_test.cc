#include <sys/socket.h>

#include "tests/unit/net/net_fixture.h"

using namespace gatescope;
using namespace gatescope::net;

TEST_CASE("nobody listens: refused") {
  const TempFolder folder;
  LoopFixture f;
  const UniqueFd bound(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));  // bound, not listening
  const Endpoint any = loopback();
  REQUIRE(::bind(bound.get(), any.raw(), any.raw_size()) == 0);
  sockaddr_storage name{};
  socklen_t size = sizeof(name);
  ::getsockname(bound.get(), reinterpret_cast<sockaddr*>(&name), &size);
  const Endpoint tcp = Endpoint::of_sockaddr(reinterpret_cast<sockaddr*>(&name), size);
  const Endpoint nowhere = Endpoint::unix_path(folder / "none").value();
  const Endpoint stale = Endpoint::unix_path(folder / "stale").value();
  { REQUIRE(bind_listening_socket(stale, {})); }
  for (const Endpoint& endpoint : {tcp, nowhere, stale}) {
    ConnectRecorder events;
    const auto connecting = f.loop->connect(endpoint, Duration(5000), events);
    CHECK(events.events == 0);
    f.until([&] { return events.events > 0; });
    REQUIRE(events.error);
    CHECK(events.error->kind == ErrorKind::Refused);
    CHECK(events.error->origin == Origin::Upstream);
    CHECK(events.error->detail.find(endpoint.to_string()) != std::string::npos);
    f.turns(3);
    CHECK(events.events == 1);
  }
}

TEST_CASE("an endpoint without address fails later, once") {
  LoopFixture f;
  ConnectRecorder events;
  const auto connecting = f.loop->connect(Endpoint(), Duration(5000), events);
  CHECK(events.events == 0);
  f.until([&] { return events.events > 0; });
  CHECK(events.error);
}

TEST_CASE("a peer that does not answer: timeout") {
  LoopFixture f;
  // A full backlog: Linux drops the SYN, so that the handshake stays unanswered.
  ListenOptions small;
  small.backlog = 0;
  const auto socket = bind_listening_socket(loopback(), small);
  REQUIRE(socket);
  sockaddr_storage name{};
  socklen_t size = sizeof(name);
  ::getsockname(socket->get(), reinterpret_cast<sockaddr*>(&name), &size);
  const Endpoint full = Endpoint::of_sockaddr(reinterpret_cast<sockaddr*>(&name), size);
  std::vector<UniqueFd> fillers;
  for (int i = 0; i < 4; ++i) {
    fillers.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    (void)::connect(fillers.back().get(), full.raw(), full.raw_size());
  }
  ConnectRecorder events;
  const MonoTime start = f.loop->clock().now();
  const auto connecting = f.loop->connect(full, Duration(50), events);
  f.until([&] { return events.events > 0; });
  REQUIRE(events.error);
  CHECK(events.error->kind == ErrorKind::Timeout);
  CHECK(f.loop->clock().now() >= start + Duration(50));
  f.turns(3);
  CHECK(events.events == 1);
}

TEST_CASE("a full unix backlog is refused at once") {
  const TempFolder folder;
  LoopFixture f;
  ListenOptions small;
  small.backlog = 0;
  const Endpoint endpoint = Endpoint::unix_path(folder / "s").value();
  const auto socket = bind_listening_socket(endpoint, small);
  REQUIRE(socket);
  ConnectRecorder first, second;
  const auto a = f.loop->connect(endpoint, Duration(5000), first);
  const auto b = f.loop->connect(endpoint, Duration(5000), second);
  f.until([&] { return first.events > 0 && second.events > 0; });
  CHECK(first.stream);
  REQUIRE(second.error);
  CHECK(second.error->kind == ErrorKind::Refused);
}

TEST_CASE("giving up is destroying, also from inside the event") {
  LoopFixture f;
  AcceptRecorder accepted;
  const auto listener = f.loop->listen(loopback(), {}, accepted);
  REQUIRE(listener);
  ConnectRecorder events;
  f.loop->connect((*listener)->local(), Duration(5000), events).reset();
  f.turns(5);
  CHECK(events.events == 0);

  struct Owner : ConnectRecorder {
    void on_connected(std::unique_ptr<Stream> s) override {
      ConnectRecorder::on_connected(std::move(s));
      connecting.reset();
    }
    void on_connect_failed(const Error& e) override {
      const Error copy = e;
      connecting.reset();
      ConnectRecorder::on_connect_failed(copy);
    }
    std::unique_ptr<Connecting> connecting;
  } good, bad;
  good.connecting = f.loop->connect((*listener)->local(), Duration(5000), good);
  bad.connecting = f.loop->connect(Endpoint::unix_path("/nowhere").value(), Duration(5000), bad);
  f.until([&] { return good.events == 1 && bad.events == 1; });
  CHECK(good.stream);
  CHECK(bad.error);
}
