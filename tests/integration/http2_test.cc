// HTTP/2 as a browser meets it: chosen in the handshake, kept over reloads, ended without a loss.

#include <signal.h>

#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/site_certificate.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"
#include "tests/support/http2_peer.h"

namespace gatescope::integration {

namespace {

constexpr std::string_view kBoth("\x02h2\x08http/1.1", 12), kHttp2("\x02h2", 3),
    kHttp1("\x08http/1.1", 9);

struct H2Site {
  H2Site() { make_certificate(server.dir().path("certs"), "scope.test"); }
  void configure(const std::string& lines) {
    server.configure(
        "ssl_certificate certs/scope.test.pem;\nssl_certificate_key certs/scope.test.key;\n" +
        lines);
  }
  std::string listen(const std::string& more = "") const {
    return "listen 127.0.0.1:" + port.text() + " ssl" + more + "; ";
  }
  Client connect(std::string_view alpn, const std::string& name = "scope.test") {
    return Client::tls(port.number(), server.dir().path("certs/ca.pem"), name, {}, {}, alpn);
  }

  ServerProcess server;
  FreePort port;
};

/// One connection that asks and waits.
struct Conversation {
  explicit Conversation(Client c) : client(std::move(c)) {}
  const test::Http2Answer& finish(std::int32_t stream) {
    while (!peer.answer(stream).done())
      if (!carry()) break;
    return peer.answer(stream);
  }
  /// False: the server has closed.
  bool carry() {
    if (const auto bytes = peer.outgoing(); !bytes.empty()) client.send(bytes);
    const auto came = client.some();
    peer.receive(came);
    return !came.empty();
  }
  const test::Http2Answer& get(const std::string& path) {
    return finish(peer.get(path, "scope.test"));
  }

  Client client;
  test::Http2Peer peer;
};

}  // namespace

TEST_CASE("ALPN: HTTP/2 where it is on, HTTP/1 where it is not, an alert where nothing fits") {
  H2Site site;
  site.configure("server { " + site.listen() +
                 "server_name scope.test; http2 on; return 200 $server_protocol/$http2/"
                 "$ssl_alpn_protocol; }");
  site.server.start();
  {
    Conversation both(site.connect(kBoth));
    CHECK(both.client.alpn() == "h2");
    CHECK(both.get("/").body == "HTTP/2.0/h2/h2");
    CHECK(both.peer.error() == "");
  }
  auto old = site.connect(kHttp1);
  CHECK(old.alpn() == "http/1.1");
  CHECK(old.get("/", "scope.test").body == "HTTP/1.1//http/1.1");
  CHECK(site.connect({}).get("/", "scope.test").body == "HTTP/1.1//");

  site.configure("server { " + site.listen() + "server_name scope.test; return 200 off; }");
  site.server.signal(SIGHUP);
  REQUIRE(within(kPatience, [&] { return site.connect(kBoth).alpn() == "http/1.1"; }));
  CHECK_THROWS(site.connect(kHttp2));
}

TEST_CASE("listen ... http2 offers it for every server of the address") {
  H2Site site;
  site.configure("server { " + site.listen(" http2") + "server_name scope.test; return 200 x; }");
  site.server.start();
  CHECK(site.connect(kBoth).alpn() == "h2");
}

TEST_CASE("a large file, an upload and small answers share a connection") {
  H2Site site;
  site.server.write("html/large", std::string(3'000'000, 'x'));
  site.server.write("html/small", "small");
  site.configure("server { " + site.listen() +
                 "server_name scope.test; http2 on; client_max_body_size 10m; root html; }");
  site.server.start();
  Conversation one(site.connect(kBoth));
  const auto large = one.peer.get("/large", "scope.test");
  const auto up = one.peer.request({{":method", "POST"},
                                    {":scheme", "https"},
                                    {":authority", "scope.test"},
                                    {":path", "/small"}},
                                   true);
  one.peer.send(up, std::string(1'000'000, 'y'));
  for (int i = 0; i < 20; ++i)
    CHECK(one.get("/small").body == "small");
  CHECK(one.finish(up).status == 405);
  CHECK(one.finish(large).body.size() == 3'000'000);
  CHECK(one.peer.error() == "");
}

TEST_CASE("a reload under a running download: it ends, and the next request sees the new one") {
  H2Site site;
  site.server.write("html/large", std::string(2'000'000, 'x'));
  const auto config = [&](const std::string& text) {
    site.configure("server { " + site.listen() +
                   "server_name scope.test; http2 on; root html; location = /text { return 200 " +
                   text + "; } }");
  };
  config("one");
  site.server.start();
  Conversation one(site.connect(kBoth));
  one.peer.hold_windows();
  CHECK(one.get("/text").body == "one");
  const auto large = one.peer.get("/large", "scope.test");
  while (one.peer.answer(large).body.size() < 60'000)
    REQUIRE(one.carry());
  config("two");
  site.server.signal(SIGHUP);
  one.peer.open_window(0, 100'000);
  REQUIRE(within(kPatience, [&] { return one.get("/text").body == "two"; }));
  one.peer.open_window(0, 3'000'000);
  one.peer.open_window(large, 3'000'000);
  CHECK(one.finish(large).body.size() == 2'000'000);
  CHECK(one.peer.goaways().empty());
}

TEST_CASE("QUIT: what runs is answered, and the client is told which requests were") {
  H2Site site;
  site.server.write("html/large", std::string(2'000'000, 'x'));
  site.configure("server { " + site.listen() + "server_name scope.test; http2 on; root html; }");
  site.server.start();
  Conversation one(site.connect(kBoth));
  one.peer.hold_windows();
  const auto large = one.peer.get("/large", "scope.test");
  while (one.peer.answer(large).body.size() < 60'000)
    REQUIRE(one.carry());
  site.server.signal(SIGQUIT);
  while (one.peer.goaways().size() < 2)
    REQUIRE(one.carry());
  CHECK(one.peer.goaways()[0].first == 0x7fffffff);
  CHECK(one.peer.goaways()[1].first == large);
  one.peer.open_window(0, 3'000'000);
  one.peer.open_window(large, 3'000'000);
  CHECK(one.finish(large).body.size() == 2'000'000);
  while (one.carry()) {
  }
  CHECK(site.server.wait() == 0);
}

}  // namespace gatescope::integration
