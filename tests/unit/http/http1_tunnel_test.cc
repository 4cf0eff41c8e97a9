// The connection behind 101.

#include "tests/support/catch.h"
#include "tests/unit/http/http1_fixture.h"

using namespace gatescope;
using namespace gatescope::http;
using namespace std::chrono_literals;

namespace {

struct TunnelEnd final : ByteTunnel::Events {
  void on_tunnel_data(std::span<const std::byte> data) override { got += as_text(data); }
  void on_tunnel_end() override { ended = true; }
  void on_tunnel_writable() override { ++writable; }
  void on_tunnel_failed(const Error&) override { failed = true; }
  std::string got;
  bool ended = false, failed = false;
  int writable = 0;
};

}  // namespace

TEST_CASE("a tunnel behind 101") {
  TunnelEnd end;
  std::unique_ptr<ByteTunnel> tunnel;
  Fixture f;
  f.behaviour.start = [&](Record& r) {
    ResponseHead head;
    head.status = 101;
    head.headers.add("Upgrade", "echo");
    r.link->send_head(head);
    tunnel = r.link->take_tunnel();
    REQUIRE(tunnel);
    tunnel->set_events(&end);
  };
  f.feed("GET /x HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\nearly");
  CHECK(f.take() ==
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
  f.feed(" later");
  CHECK(end.got.empty());
  tunnel->start_reading();
  f.settle();
  CHECK(end.got == "early later");
  f.feed("!");
  CHECK(end.got == "early later!");
  tunnel->write(SharedBytes::of_static("hello "));
  tunnel->write(SharedBytes::of_static("you"));
  f.settle();
  CHECK(f.take() == "hello you");
  CHECK_FALSE(f.last().over);
  f.pass(Duration(24h));
  CHECK_FALSE(f.over());
  SECTION("destroyed: the exchange is over, the rest leaves, the connection closes") {
    tunnel->write(SharedBytes::of_static("bye"));
    tunnel.reset();
    f.settle();
    CHECK(f.last().over);
    CHECK(f.take() == "bye");
    CHECK(f.stream.fin_seen());
    CHECK(f.over());
  }
  SECTION("the client's end, and ours") {
    f.end();
    CHECK(end.ended);
    tunnel->write(SharedBytes::of_static("bye"));
    tunnel->shut_down();
    f.settle();
    CHECK(f.take() == "bye");
    CHECK(f.stream.fin_seen());
    tunnel.reset();
    f.settle();
    CHECK(f.over());
  }
  SECTION("a reset") {
    f.stream.fail(make_error(ErrorKind::Reset, Origin::Client, "reset"));
    CHECK(end.failed);
    tunnel.reset();
    f.settle();
    CHECK(f.over());
  }
  SECTION("back-pressure") {
    f.stream.set_window(0);
    CHECK(tunnel->write(SharedBytes(std::string(600'000, 'x'))) == Flow::Wait);
    f.settle();
    CHECK(end.writable == 0);
    f.stream.open_window(600'000);
    f.settle();
    CHECK(end.writable == 1);
    tunnel.reset();
    f.settle();
  }
  SECTION("the session dies first") {
    f.session.reset();
    f.settle();
    tunnel->write(SharedBytes::of_static("nobody"));
    tunnel.reset();
  }
}

TEST_CASE("no tunnel before the request's end") {
  Fixture f;
  begin_manually(f);
  f.feed(post("Content-Length: 6\r\n", "abc"));
  ResponseHead head;
  head.status = 101;
  f.last().link->send_head(head);
  CHECK(f.last().link->take_tunnel() == nullptr);
}

TEST_CASE("no tunnel without 101") {
  Fixture f;
  begin_manually(f);
  f.feed(kGet);
  CHECK(f.last().link->take_tunnel() == nullptr);
  f.last().link->send_head({});
  CHECK(f.last().link->take_tunnel() == nullptr);
  f.last().link->send_end({});
  f.settle();
  CHECK(f.session->idle());
}
