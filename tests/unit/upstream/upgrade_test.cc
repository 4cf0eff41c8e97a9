#include "tests/unit/upstream/proxy_fixture.h"

namespace gatescope::upstream {

namespace {

constexpr const char* kUpgrading =
    "location / { proxy_pass http://127.0.0.1:9000; proxy_set_header Upgrade $http_upgrade; "
    "proxy_set_header Connection \"upgrade\"; "
    "proxy_read_timeout 5s; }";
constexpr const char* kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n";

struct TunnelEnd {
  http::ByteTunnel::Events* events = nullptr;
  std::string written;
  Flow flow = Flow::GoOn;
  bool reading = false, shut = false, gone = false;
};

class FakeTunnel final : public http::ByteTunnel {
 public:
  explicit FakeTunnel(TunnelEnd& end) : end_(end) {}
  ~FakeTunnel() override { end_.gone = true; }
  void set_events(Events* events) override { end_.events = events; }
  void start_reading() override { end_.reading = true; }
  void stop_reading() override { end_.reading = false; }
  Flow write(SharedBytes bytes) override {
    end_.written += bytes.text();
    return end_.flow;
  }
  void shut_down() override { end_.shut = true; }

 private:
  TunnelEnd& end_;
};

}  // namespace

TEST_CASE("an asked upgrade becomes a tunnel") {
  TunnelEnd end;
  Site site(kUpgrading);
  INFO(site.error);
  FakeUpstream upstream(site.loop, 9000);
  auto client = site.send({.headers = {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}}});
  client->link.tunnel = std::make_unique<FakeTunnel>(end);
  site.run();
  auto& peer = upstream.last();
  CHECK(peer.received ==
        "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\nHost: "
        "127.0.0.1:9000\r\n\r\n");
  peer.received.clear();
  peer.send(std::string(kSwitch) + "early");
  site.run();
  CHECK(client->link.status == 101);
  CHECK(client->link.headers == "{Upgrade=websocket}");
  CHECK(end.written == "early");
  CHECK(end.reading);
  site.loop.turn([&] { end.events->on_tunnel_data(as_bytes("ping")); });
  site.run();
  CHECK(peer.received == "ping");
  peer.send("pong");
  site.run();
  CHECK(end.written == "earlypong");

  SECTION("each side's end goes through") {
    site.loop.turn([&] { end.events->on_tunnel_end(); });
    site.run();
    CHECK(peer.ended);
    CHECK(!end.gone);
    peer.send("rest");
    peer.finish();
    site.run();
    CHECK(end.written == "earlypongrest");
    CHECK(end.gone);
  }
  SECTION("silence ends it") {
    site.run(Duration(4000));
    site.loop.turn([&] { end.events->on_tunnel_data(as_bytes("x")); });
    site.run(Duration(4000));
    CHECK(!end.gone);
    site.run(Duration(2000));
    CHECK(end.gone);
    CHECK(peer.ended);
  }
  SECTION("a slow client holds the upstream back") {
    end.flow = Flow::Wait;
    peer.send(std::string(3'000'000, 'x'));
    site.run(Duration(1000));
    CHECK(end.written.size() < 1'000'000);
    end.flow = Flow::GoOn;
    site.loop.turn([&] { end.events->on_tunnel_writable(); });
    site.run(Duration(1000));
    CHECK(end.written.size() == 3'000'009);
  }
  SECTION("a slow upstream holds the client back") {
    peer.hold(true);
    for (int i = 0; i < 1000 && end.reading; ++i)
      site.loop.turn([&] { end.events->on_tunnel_data(as_bytes(std::string(60'000, 'x'))); });
    CHECK(!end.reading);
    peer.hold(false);
    site.run(Duration(1000));
    CHECK(end.reading);
  }
  SECTION("the client breaks off") {
    site.loop.turn([&] {
      end.events->on_tunnel_failed(make_error(ErrorKind::Reset, Origin::Client, "reset"));
    });
    site.run();
    CHECK(end.gone);
    CHECK(peer.ended);
  }
}

TEST_CASE("an upgrade that the upstream declines is an ordinary answer") {
  Site site(kUpgrading);
  FakeUpstream upstream(site.loop, 9000);
  upstream.reply = kOk;
  auto client = site.send({.headers = {{"Upgrade", "websocket"}}});
  site.run();
  CHECK(client->link.summary() == "200 length=2 'ok' end");
}

TEST_CASE("an answer says what could be spoken instead, whether its Connection names it or not") {
  Site site(kUpgrading);
  FakeUpstream upstream(site.loop, 9000);
  const auto named = GENERATE("", "Connection: upgrade\r\n");
  upstream.reply = "HTTP/1.1 426 Upgrade Required\r\nUpgrade: TLS/1.2, HTTP/2.0\r\n" +
                   std::string(named) + "Content-Length: 0\r\n\r\n";
  auto client = site.send({});
  site.run();
  CHECK(client->link.summary() == "426 length=0 {Upgrade=TLS/1.2, HTTP/2.0} '' end");
}

}  // namespace gatescope::upstream
