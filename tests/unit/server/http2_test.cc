// HTTP/2, asked of a whole server.

#include "tests/support/catch.h"
#include "tests/support/http2_frames.h"
#include "tests/support/http2_peer.h"
#include "tests/unit/server/backend_fixture.h"
#include "tests/unit/server/site_fixture.h"

using namespace gatescope;
using namespace gatescope::test;

namespace {

/// A client that keeps its connection and has its requests answered one after the other, or not
/// yet.
struct H2Client {
  H2Client(Site& s, std::uint16_t port = 80) : site(s), client(s.connect(port)) {}
  /// Carries bytes until `stream` is done, or a second has passed.
  Http2Answer& settle(std::int32_t stream) {
    for (int i = 0; i < 200 && !peer.answer(stream).done(); ++i)
      carry();
    return peer.answer(stream);
  }
  void carry() {
    if (const auto bytes = peer.outgoing(); !bytes.empty()) client->send(bytes);
    site.run_for(Duration(5));
    peer.receive(client->take());
  }
  Http2Answer& get(const std::string& path, const std::string& host = "localhost") {
    return settle(peer.get(path, host));
  }

  Site& site;
  std::unique_ptr<KeptClient> client;
  Http2Peer peer;
};

const std::string kLastGet = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

}  // namespace

TEST_CASE("HTTP/2 and HTTP/1 on one plain address, told apart by the preface") {
  Site site("server { listen 80; http2 on; return 200 $server_protocol/$http2; }");
  REQUIRE(site.load_error() == "");
  CHECK(body_of_answer(site.ask(kLastGet)) == "HTTP/1.1/");
  CHECK(body_of_answer(site.ask_bytewise(kLastGet)) == "HTTP/1.1/");
  CHECK(body_of_answer(site.ask_http2(kLastGet)) == "HTTP/2.0/h2c");
  const auto hello = h2::hello() + h2::get(1);
  CHECK(site.ask_bytewise(hello + h2::frame(h2::kGoaway, 0, 0, std::string(8, '\0')))
            .find("HTTP/2.0/h2c") != std::string::npos);
  // A method that begins as the preface does, and a preface that is none
  CHECK(status_of_answer(site.ask("PRO / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")) ==
        200);
  CHECK(status_of_answer(site.ask("PRI * HTTP/2.0\r\n\r\nxxxxxxxx")) == 400);
}

TEST_CASE("without http2 the preface is a bad request") {
  Site site("server { listen 80; return 200 x; }");
  CHECK(status_of_answer(site.ask(h2::hello())) == 400);
}

TEST_CASE("a client that says nothing, or half a preface, is waited for like one of HTTP/1") {
  Site site(
      "server { listen 80; http2 on; keepalive_timeout 5s; client_header_timeout 2s; "
      "return 200 x; }");
  struct Waited {
    const char* part;
    Duration time;
  };
  for (const auto& waited : {Waited{"", Duration(5000)}, Waited{"PRI * HT", Duration(2000)}}) {
    const auto client = site.connect();
    client->send(waited.part);
    site.run_for(waited.time - Duration(100));
    CHECK_FALSE(client->ended());
    site.run_for(Duration(200));
    CHECK(client->ended());
  }
  // Which connection and which client are said once.
  const std::string log = site.read("logs/error.log");
  const auto line = log.substr(0, log.find('\n', log.find("while waiting for request")));
  const auto last = std::string_view(line).substr(line.rfind('\n') + 1);
  INFO(last);
  CHECK(last.find("while waiting for request, client: ") != std::string_view::npos);
  CHECK(last.find("client: ") == last.rfind("client: "));
  CHECK(last.find("*1 ") != std::string_view::npos);
  CHECK(last.find("*1 ") == last.rfind("*1 "));
}

TEST_CASE("listen ... http2 is obsolete, and holds for all servers of the address") {
  Site site(R"(server { listen 80 http2; server_name a; return 200 a; }
    server { listen 80; server_name b; return 200 b; })");
  REQUIRE(site.load_error() == "");
  H2Client client(site);
  CHECK(client.get("/", "a").body == "a");
  CHECK(client.get("/", "b").body == "b");
  CHECK(site.read("logs/error.log").find("\"listen ... http2\" directive is deprecated") !=
        std::string::npos);
}

TEST_CASE("a name whose server has no HTTP/2 is 421 over it") {
  Site site(R"(server { listen 80; server_name a; http2 on; return 200 a; }
    server { listen 80; server_name b; return 200 b; })");
  H2Client client(site);
  CHECK(client.get("/", "a").status == 200);
  CHECK(client.get("/", "b").status == 421);
}

TEST_CASE("a method that is not in capital letters is 400 over HTTP/2, by its error page") {
  Site site(R"(server { listen 80; http2 on; error_page 400 /bad;
    location / { return 200 x; } location = /bad { return 200 bad; } })");
  H2Client client(site);
  const auto ask = [&](const std::string& method) {
    return client.settle(client.peer.request(
        {{":method", method}, {":scheme", "http"}, {":path", "/"}, {":authority", "localhost"}}));
  };
  CHECK(ask("GET").status == 200);
  CHECK(ask("M-SEARCH").status == 200);
  for (const auto method : {"get", "Get", "G3T", "GET!"}) {
    INFO(method);
    const auto answer = ask(method);
    CHECK(answer.status == 400);
    CHECK(answer.body == "bad");
  }
  CHECK(site.read("logs/error.log").find("client sent invalid method: \"get\"") !=
        std::string::npos);
}

TEST_CASE("the access log says of HTTP/2 what it says of HTTP/1") {
  Site site(R"(log_format f "$server_protocol $http2 $request_method $status $body_bytes_sent "
      "$connection_requests $request";
    server { listen 80; http2 on; access_log logs/a.log f; location / { return 200 hello; } })");
  REQUIRE(site.load_error() == "");
  H2Client client(site);
  client.get("/a?b");
  client.get("/c");
  // As in nginx: what frames it does not count.
  CHECK(site.read("logs/a.log") ==
        "HTTP/2.0 h2c GET 200 5 1 GET /a?b HTTP/2.0\nHTTP/2.0 h2c GET 200 5 2 GET /c HTTP/2.0\n");
}

TEST_CASE(
    "a request without a method or a path has no request line, also when an error page answers") {
  Site site(R"(log_format f "$status [$request]";
    server { listen 80; http2 on; access_log logs/a.log f; error_page 400 /bad;
    location / { return 200 x; } location = /bad { return 200 bad; } })");
  REQUIRE(site.load_error() == "");
  H2Client client(site);
  for (const auto& fields :
       {Http2Peer::Fields{{":scheme", "http"}, {":path", "/"}, {":authority", "localhost"}},
        Http2Peer::Fields{{":method", "GET"}, {":scheme", "http"}, {":authority", "localhost"}},
        Http2Peer::Fields{
            {":method", "G T"}, {":scheme", "http"}, {":path", "/"}, {":authority", "localhost"}}})
    CHECK(client.settle(client.peer.request(fields)).body == "bad");
  CHECK(site.read("logs/a.log") == "400 []\n400 []\n400 []\n");
}

TEST_CASE("requests that run when a reload comes end as they began, later ones see the new") {
  const auto config = [](const std::string& text) {
    return "limit_req_zone $server_name zone=z:1m rate=1r/s;"
           "server { listen 80; http2 on; location / { return 200 " +
           text +
           "; }"
           " location /slow { limit_rate 1k; alias $folder/html/slow; add_header X-Of " +
           text + "; } }";
  };
  Site site(config("one"));
  REQUIRE(site.load_error() == "");
  site.write("html/slow", std::string(5000, 'x'));
  H2Client client(site);
  const auto slow = client.peer.get("/slow", "localhost");
  client.carry();
  client.carry();
  for (const std::string text : {"two", "three", "four"}) {
    CHECK_FALSE(site.reload(config(text)));
    CHECK(client.get("/").body == text);
  }
  site.run_for(Duration(10'000));
  CHECK(client.settle(slow).body.size() == 5000);
  CHECK(client.peer.answer(slow).field("x-of") == "one");
  CHECK(client.get("/").body == "four");
  CHECK(client.peer.goaways().empty());
  CHECK(client.peer.error() == "");
}

TEST_CASE(
    "worker_shutdown_timeout ends a request of an older configuration, though its client asks on") {
  const auto config = [](const std::string& text) {
    return "server { listen 80; http2 on; location / { return 200 " + text +
           "; } location /slow { limit_rate 100; alias $folder/html/slow; } }";
  };
  Site site(config("one"), "worker_shutdown_timeout 5s;");
  REQUIRE(site.load_error() == "");
  site.write("html/slow", std::string(5000, 'x'));
  H2Client client(site), other(site);
  client.peer.get("/slow", "localhost");
  client.carry();
  client.carry();
  CHECK_FALSE(site.reload(config("two"), "worker_shutdown_timeout 5s;"));
  CHECK(client.get("/").body == "two");
  CHECK(other.get("/").body == "two");
  site.run_for(Duration(4000));
  CHECK(client.get("/").body == "two");
  site.run_for(Duration(2000));
  CHECK(client.client->ended());
  CHECK_FALSE(other.client->ended());
}

TEST_CASE("an address that is not served any more says goodbye to its clients") {
  Site site("server { listen 80; listen 81; http2 on; return 200 x; }");
  H2Client client(site);
  CHECK(client.get("/").status == 200);
  CHECK_FALSE(site.reload("server { listen 81; http2 on; return 200 x; }"));
  for (int i = 0; i < 300; ++i)
    client.carry();
  REQUIRE_FALSE(client.peer.goaways().empty());
  CHECK(client.peer.goaways()[0].first == 0x7fffffff);
  CHECK(client.client->ended());
}

TEST_CASE("a reload that changes what connections began with says goodbye, and loses nothing") {
  const auto config = [](const std::string& more) {
    return "server { listen 80; http2 on; " + more +
           " location / { return 200 x; }"
           " location /slow { limit_rate 1k; alias $folder/html/slow; } }";
  };
  Site site(config(""));
  site.write("html/slow", std::string(3000, 'x'));
  H2Client busy(site), idle(site);
  CHECK(idle.get("/").status == 200);
  const auto slow = busy.peer.get("/slow", "localhost");
  busy.carry();
  busy.carry();
  CHECK_FALSE(site.reload(config("")));
  idle.carry();
  CHECK(idle.peer.goaways().empty());
  CHECK_FALSE(site.reload(config("http2_max_concurrent_streams 7;")));
  CHECK(idle.get("/").status == 200);  // it was on its way
  CHECK(busy.get("/").status == 200);
  for (int i = 0; i < 2000 && !(busy.client->ended() && idle.client->ended()); ++i) {
    busy.carry();
    idle.carry();
  }
  busy.carry();  // what came while the other one was carried
  for (auto* client : {&busy, &idle}) {
    REQUIRE_FALSE(client->peer.goaways().empty());
    CHECK(client->peer.goaways()[0].first == 0x7fffffff);
    CHECK(client->client->ended());
  }
  CHECK(busy.peer.answer(slow).body.size() == 3000);
}

TEST_CASE("a graceful stop waits for answers over HTTP/2") {
  Site site(R"(server { listen 80; http2 on;
    location / { limit_rate 1k; root $folder/html; } })");
  site.write("html/slow", std::string(5000, 'x'));
  H2Client client(site);
  const auto slow = client.peer.get("/slow", "localhost");
  client.carry();
  client.carry();
  site.finish();
  for (int i = 0; i < 2000 && !client.client->ended(); ++i)
    client.carry();
  CHECK(client.peer.answer(slow).body.size() == 5000);
  CHECK(client.peer.answer(slow).ended);
  CHECK(client.client->ended());
  site.run_for(Duration(6000));  // the client did not close: lingering_timeout
  CHECK(site.stopped());
}

TEST_CASE("uploads and answers through a proxy over HTTP/2") {
  Site site(R"(server { listen 80; http2 on; location / { proxy_pass http://127.0.0.1:8001; } })");
  REQUIRE(site.load_error() == "");
  Backend backend(site.loop(), 8001);
  backend.reply =
      "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n"
      "Transfer-Encoding: chunked\r\nX-Up: y\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  H2Client client(site);
  const auto id = client.peer.request({{":method", "POST"},
                                       {":scheme", "http"},
                                       {":authority", "localhost"},
                                       {":path", "/up"},
                                       {"cookie", "a=1"},
                                       {"cookie", "b=2"}},
                                      true);
  client.peer.send(id, "a body", true);
  const auto& answer = client.settle(id);
  CHECK(answer.status == 200);
  CHECK(answer.body == "hello");
  CHECK(answer.field("x-up") == "y");
  CHECK(answer.field("connection") == "(none)");
  CHECK(answer.field("keep-alive") == "(none)");
  CHECK(answer.field("transfer-encoding") == "(none)");
  REQUIRE(backend.received().size() == 1);
  const auto& got = backend.received()[0];
  CHECK(got.starts_with("POST /up HTTP/1."));
  CHECK(got.find("cookie: a=1; b=2\r\n") != std::string::npos);
  CHECK(got.find("Content-Length: 6\r\n") != std::string::npos);
  CHECK(got.ends_with("\r\n\r\na body"));
}

TEST_CASE("a flood ends its own connection, others are served") {
  Site site("server { listen 80; http2 on; return 200 x; }");
  H2Client other(site);
  CHECK(other.get("/").status == 200);
  std::string flood = h2::hello();
  for (unsigned n = 0; n < 600; ++n)
    flood += h2::get(2 * n + 1) + h2::reset(2 * n + 1);
  site.ask_and_leave(flood);
  CHECK(site.read("logs/error.log").find("HTTP/2 flood detected") != std::string::npos);
  CHECK(other.get("/").status == 200);
}

TEST_CASE("directives of HTTP/2 that make no sense, and those that nginx has dropped") {
  const auto error_of = [](const std::string& directive) {
    return Site("server { listen 80; " + directive + " return 200 x; }").load_error();
  };
  CHECK(error_of("http2_max_concurrent_streams 0;").find("1 to 65535") != std::string::npos);
  CHECK(error_of("http2_chunk_size 0;").find("1 byte") != std::string::npos);
  CHECK(error_of("http2_body_preread_size 2g;").find("below 2g") != std::string::npos);
  CHECK(error_of("http2 maybe;") != "");
  Site site(
      "http2_recv_buffer_size 256k; server { listen 80; http2_idle_timeout 3m; "
      "http2_recv_timeout 3m; http2_max_field_size 1k; http2_max_header_size 1k; "
      "http2_max_requests 9; http2_push_preload on; location / { http2_push /x; } }");
  CHECK(site.load_error() == "");
  const auto log = site.read("logs/error.log");
  CHECK(log.find("the \"http2_idle_timeout\" directive is obsolete, use the \"keepalive_timeout\" "
                 "directive instead") != std::string::npos);
  CHECK(log.find("the \"http2_push\" directive is obsolete, ignored") != std::string::npos);
}

TEST_CASE("an upstream that switches protocols for a client that speaks HTTP/2 is a bad one") {
  Site site(R"(server { listen 80; server_name localhost; http2 on;
    location / { proxy_pass http://127.0.0.1:9000; proxy_set_header Upgrade websocket;
                 proxy_set_header Connection upgrade; } })");
  REQUIRE(site.load_error() == "");
  Backend backend(site.loop(), 9000);
  backend.reply =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n";
  CHECK(status_of_answer(site.ask_http2("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")) == 502);
  CHECK(site.read("logs/error.log").find("switched protocols for a client that speaks HTTP/2") !=
        std::string::npos);
}
