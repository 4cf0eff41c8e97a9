// What an exchange with a server behind leaves when it is given up.

#include "proxy/upstream/upstream_connection.h"

#include "tests/unit/upstream/proxy_fixture.h"

namespace gatescope::upstream {

namespace {

/// Connects never, and says how many of its connections are still being made.
class CountingLoop final : public test::SimLoop {
 public:
  using SimLoop::SimLoop;
  std::unique_ptr<net::Connecting> connect(const net::Endpoint&, Duration,
                                           net::ConnectEvents&) override {
    return std::make_unique<Counted>(connecting);
  }
  int connecting = 0;

 private:
  struct Counted final : net::Connecting {
    explicit Counted(int& count) : count(count) { ++count; }
    ~Counted() override { --count; }
    int& count;
  };
};

struct NoEvents final : UpstreamConnection::Events {
  void on_upstream_connected() override { ++events; }
  void on_upstream_writable() override { ++events; }
  void on_upstream_informational(const http::ReceivedHead&) override { ++events; }
  void on_upstream_head(const http::ReceivedHead&) override { ++events; }
  void on_upstream_body(std::span<const std::byte>) override { ++events; }
  void on_upstream_end(const http::HeaderList&) override { ++events; }
  void on_upstream_upgraded(const http::ReceivedHead&) override { ++events; }
  void on_upstream_failed(const UpstreamFailure&) override { ++events; }
  int events = 0;
};

}  // namespace

// A health check was replaced by a reload in the turn in which its connection came to be: the event
// found nobody.
TEST_CASE("an exchange that is given up has no connection on its way any more, in the same turn") {
  test::SimWorld world{7};
  CountingLoop loop(world);
  UpstreamSpec spec;
  spec.name = "u";
  spec.servers.emplace_back().endpoints = {net::Endpoint::ip("127.0.0.1", 9001).value()};
  Upstream upstream(spec);
  NoEvents events;
  loop.turn([&] {
    UpstreamConnection exchange(loop, upstream.on(loop), 0, {}, {}, events);
    exchange.start(true);
    CHECK(loop.connecting == 1);
    exchange.close();
    CHECK(loop.connecting == 0);
  });
  CHECK(events.events == 0);
  loop.turn([&] { upstream.forget_loop(loop); });
}

}  // namespace gatescope::upstream
