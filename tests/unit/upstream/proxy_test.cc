// One request through a proxy: reuse, failures, deadlines, back-pressure, next upstream, variables.

#include "tests/unit/upstream/proxy_fixture.h"

namespace gatescope::upstream {

namespace {
constexpr const char* kPlain = "location / { proxy_pass http://127.0.0.1:9000; }";
bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}
}  // namespace

TEST_CASE("a connection is used again only after a clean end") {
  struct Row {
    std::string_view what, reply;
    bool reused;
  };
  const Row rows[] = {
      {"length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true},
      {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", true},
      {"close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false},
      {"1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false},
      {"1.0 keep-alive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
       true},
      {"surplus", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n", false},
      {"body to a 204", "HTTP/1.1 204 No Content\r\n\r\nx", false},
  };
  for (const auto& row : rows) {
    INFO(row.what);
    Site site(kPlain);
    FakeUpstream upstream(site.loop, 9000);
    upstream.reply = row.reply;
    auto first = site.send({});
    site.run();
    CHECK(first->link.ended);
    REQUIRE(upstream.connections.size() == 1);
    upstream.last().reply = row.reply;
    auto second = site.send({});
    site.run();
    CHECK(second->link.ended);
    CHECK(upstream.connections.size() == (row.reused ? 1 : 2));
  }
}

TEST_CASE("idle connections are limited in number, age, requests and idle time") {
  const auto connections_for = [](std::string_view block, int requests, Duration between) {
    Site site("location / { proxy_pass http://u; }", block);
    INFO(site.error);
    FakeUpstream upstream(site.loop, 9000);
    upstream.reply = kOk;
    for (int i = 0; i < requests; ++i) {
      if (!upstream.connections.empty()) upstream.last().reply = kOk;
      auto client = site.send({});
      site.run(between);
      CHECK(client->link.summary() == "200 length=2 'ok' end");
    }
    return upstream.connections.size();
  };
  CHECK(connections_for("upstream u { server 127.0.0.1:9000; }", 3, Duration(1000)) == 1);
  CHECK(connections_for("upstream u { server 127.0.0.1:9000; keepalive 0; }", 3, Duration(1000)) ==
        3);
  CHECK(connections_for("upstream u { server 127.0.0.1:9000; keepalive 2; keepalive_requests 2; }",
                        4, Duration(1000)) == 2);
  CHECK(connections_for("upstream u { server 127.0.0.1:9000; keepalive_timeout 2s; }", 3,
                        Duration(1000)) == 1);
  CHECK(connections_for("upstream u { server 127.0.0.1:9000; keepalive_timeout 2s; }", 3,
                        Duration(3000)) == 3);
  CHECK(connections_for("upstream u { server 127.0.0.1:9000; keepalive_time 3s; }", 6,
                        Duration(1000)) == 2);
}

TEST_CASE("an idle connection that the upstream closes is dropped at once") {
  Site site(kPlain);
  FakeUpstream upstream(site.loop, 9000);
  upstream.reply = kOk;
  auto first = site.send({});
  site.run();
  upstream.last().finish();
  site.run();
  CHECK(upstream.last().ended);
  auto second = site.send({});
  site.run();
  CHECK(second->link.status == 200);
  CHECK(second->exchange->upstream_tries().size() == 1);
}

TEST_CASE("a pooled connection that dies under a request: repeated once, if harmless") {
  struct Row {
    std::string_view method;
    int status;
  };
  for (const auto& row : {Row{"GET", 200}, Row{"DELETE", 200}, Row{"POST", 502}}) {
    INFO(row.method);
    Site site(kPlain);
    FakeUpstream upstream(site.loop, 9000);
    upstream.reply = kOk;
    auto first = site.send({});
    site.run();
    auto& stale = upstream.last();
    auto second = site.send({.method = row.method});  // on its way, when ...
    stale.finish();
    site.run();
    CHECK(second->link.status == row.status);
    CHECK(upstream.connections.size() == (row.status == 200 ? 2 : 1));
    CHECK(second->exchange->upstream_tries().size() == 1);
  }
}

TEST_CASE("a fresh connection that closes without an answer is not asked again") {
  Site site(kPlain);
  FakeUpstream upstream(site.loop, 9000);
  auto client = site.send({.target = "/x"});
  site.run();
  upstream.last().finish();
  site.run();
  CHECK(client->link.status == 502);
  CHECK(upstream.connections.size() == 1);
  CHECK(has(site.log.text,
            "upstream prematurely closed connection while reading response header from upstream, "
            "upstream: \"http://127.0.0.1:9000/x\""));
}

TEST_CASE("nobody listens: 502 in nginx's words") {
  Site site(
      "location / { proxy_pass http://127.0.0.1:9; } location /s { proxy_pass "
      "http://unix:/none.sock; }");
  auto client = site.send({.target = "/x"});
  site.run();
  CHECK(client->link.status == 502);
  INFO(site.log.text);
  CHECK(has(site.log.text, " connect() failed "));  // without the address, as nginx
  CHECK(has(site.log.text,
            "failed (111: Connection refused) while connecting to upstream, upstream: "
            "\"http://127.0.0.1:9/x\""));
  CHECK(client->value(site.variables, "upstream_status") == "502");
  CHECK(client->value(site.variables, "upstream_addr") == "127.0.0.1:9");
}

TEST_CASE("a name from a variable needs a resolver") {
  Site site("location / { set $h some.host; proxy_pass http://$h; }");
  auto client = site.send({});
  CHECK(client->link.status == 502);
  CHECK(has(site.log.text, "no resolver defined to resolve some.host"));
}

TEST_CASE("deadlines: head, body, sending") {
  SECTION("no head in time: 504") {
    Site site("location / { proxy_pass http://127.0.0.1:9000; proxy_read_timeout 5s; }");
    FakeUpstream upstream(site.loop, 9000);
    auto client = site.send({});
    site.run(Duration(4900));
    CHECK(client->link.status == 0);
    site.run(Duration(300));
    CHECK(client->link.status == 504);
    CHECK(has(site.log.text,
              "upstream timed out (110: Connection timed out) while reading response header from "
              "upstream"));
    CHECK(upstream.last().ended);
  }
  SECTION("the body stops: cut") {
    Site site("location / { proxy_pass http://127.0.0.1:9000; proxy_read_timeout 5s; }");
    FakeUpstream upstream(site.loop, 9000);
    upstream.reply = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab";
    auto client = site.send({});
    site.run(Duration(4000));
    upstream.last().send("c");
    site.run(Duration(4000));
    CHECK(client->link.summary() == "200 length=9 'abc' open");
    site.run(Duration(2000));
    CHECK(client->link.summary() == "200 length=9 'abc' cut");
    CHECK(has(site.log.text,
              "upstream timed out (110: Connection timed out) while reading upstream"));
  }
  SECTION("the upstream takes no body: 504") {
    Site site(
        "client_max_body_size 0; location / { proxy_pass http://127.0.0.1:9000; proxy_send_timeout "
        "3s; proxy_request_buffering off; }");
    FakeUpstream upstream(site.loop, 9000);
    auto client = site.send({.method = "PUT", .length = 100'000'000});
    site.run();
    upstream.last().hold(true);
    while (client->link.wants)
      client->body(std::string(60'000, 'x'));
    site.run(Duration(4000));
    CHECK(client->link.status == 504);
    CHECK(has(site.log.text, "while sending request to upstream"));
  }
}

TEST_CASE("connect timeout") {
  Site site("location / { proxy_pass http://127.0.0.1:9000; proxy_connect_timeout 2s; }");
  test::SimFaults silent;
  silent.no_answer = 1;
  site.world.set_faults(*net::Endpoint::ip("127.0.0.1", 9000), silent);
  FakeUpstream upstream(site.loop, 9000);
  auto client = site.send({});
  site.run(Duration(3000));
  CHECK(client->link.status == 504);
  CHECK(has(site.log.text,
            "upstream timed out (110: Connection timed out) while connecting to upstream"));
}

TEST_CASE("a slow upstream holds the client's body back") {
  Site site(
      "client_max_body_size 0; location / { proxy_pass http://127.0.0.1:9000; "
      "proxy_request_buffering off; }");
  FakeUpstream upstream(site.loop, 9000);
  auto client = site.send({.method = "PUT", .length = 100'000'000});
  CHECK(!client->link.wants);  // not before the connection stands
  site.run();
  CHECK(client->link.wants);
  upstream.last().hold(true);
  std::size_t sent = 0;
  for (; client->link.wants && sent < 50'000'000; sent += 60'000)
    client->body(std::string(60'000, 'x'));
  CHECK(sent < 2'000'000);
  upstream.last().hold(false);
  site.run(Duration(1000));
  CHECK(client->link.wants);
  CHECK(upstream.last().received.size() > sent);
}

TEST_CASE("a slow client holds the upstream back, without a read timeout") {
  Site site("location / { proxy_pass http://127.0.0.1:9000; proxy_read_timeout 5s; }");
  FakeUpstream upstream(site.loop, 9000);
  upstream.reply = "HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n";
  auto client = site.send({});
  site.run();
  client->link.flow = Flow::Wait;
  const std::string all(5'000'000, 'x');
  upstream.last().send(all);
  site.run(Duration(20'000));
  CHECK(client->link.body.size() < 1'000'000);
  CHECK(!client->link.was_cut);
  client->writable();
  site.run(Duration(1000));
  CHECK(client->link.body.size() == all.size());
  CHECK(client->link.ended);
}

TEST_CASE("a client that leaves ends the upstream's work") {
  Site site(kPlain);
  FakeUpstream upstream(site.loop, 9000);
  auto waiting = site.send({});
  site.run();
  waiting->leave();
  site.run();
  CHECK(upstream.last().ended);
  CHECK(waiting->exchange->client_closed_status() == 499);
  auto connecting = site.send({});
  connecting->leave();
  site.run();
  upstream.reply = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab";
  auto streaming = site.send({});
  site.run();
  CHECK(streaming->link.status == 200);
  streaming->leave();
  site.run();
  CHECK(upstream.last().ended);
}

TEST_CASE("an early answer to an unfinished body: passed on, the connection closed") {
  Site site("location / { proxy_pass http://127.0.0.1:9000; proxy_request_buffering off; }");
  FakeUpstream upstream(site.loop, 9000);
  upstream.reply = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n";
  auto client = site.send({.method = "POST", .length = 1000});
  site.run();
  CHECK(client->link.summary() == "413 length=0 '' end");
  CHECK(upstream.last().ended);
}

TEST_CASE("Location is rewritten as by nginx") {
  struct Row {
    std::string_view what, location, from, expected;
  };
  const Row rows[] = {
      {"default with URI", "location /in/ { proxy_pass http://127.0.0.1:9000/out/; }",
       "http://127.0.0.1:9000/out/x", "/in/x"},
      {"default without URI", "location /in/ { proxy_pass http://127.0.0.1:9000; }",
       "http://127.0.0.1:9000/in/x", "/in/x"},
      {"another site", "location /in/ { proxy_pass http://127.0.0.1:9000; }", "http://other/x",
       "http://other/x"},
      {"off", "location /in/ { proxy_pass http://127.0.0.1:9000; proxy_redirect off; }",
       "http://127.0.0.1:9000/x", "http://127.0.0.1:9000/x"},
      {"prefix",
       "location /in/ { proxy_pass http://127.0.0.1:9000; proxy_redirect http://b/ "
       "http://$host/c/; }",
       "http://b/x", "http://site.test/c/x"},
      {"regex",
       "location /in/ { proxy_pass http://127.0.0.1:9000; proxy_redirect ~^http://[^/]+:\\d+/(.*)$ "
       "http://z/$1; }",
       "http://b:81/x", "http://z/x"},
  };
  for (const auto& row : rows) {
    INFO(row.what);
    Site site(std::string("absolute_redirect off; ") + std::string(row.location));
    INFO(site.error);
    FakeUpstream upstream(site.loop, 9000);
    upstream.reply = "HTTP/1.1 302 Found\r\nLocation: " + std::string(row.from) +
                     "\r\nContent-Length: 0\r\n\r\n";
    auto client = site.send({.target = "/in/"});
    site.run();
    CHECK(client->link.location == row.expected);
  }
}

TEST_CASE("fields have their places, and what is hidden can be shown") {
  Site site(
      "location / { proxy_pass http://127.0.0.1:9000; proxy_pass_header Server; proxy_hide_header "
      "X-Secret; }");
  FakeUpstream upstream(site.loop, 9000);
  upstream.reply =
      "HTTP/1.1 200 OK\r\nServer: gunicorn\r\nX-Secret: 1\r\nContent-Type: text/html\r\nETag: "
      "W/\"1\"\r\n"
      "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nLocation: /rel\r\nContent-Length: 0\r\n\r\n";
  auto client = site.send({});
  site.run();
  const auto& head = client->exchange->response();
  CHECK(head.content_type == "text/html");
  CHECK(head.etag == "W/\"1\"");
  CHECK(head.last_modified == 784111777);
  CHECK(client->link.headers == "{Server=gunicorn}{Location=/rel}");
  CHECK(client->value(site.variables, "upstream_http_etag") == "W/\"1\"");
}

TEST_CASE("proxy_intercept_errors lets error_page answer") {
  Site site(
      "location / { proxy_pass http://127.0.0.1:9000; proxy_intercept_errors on; error_page 503 "
      "@busy; } "
      "location @busy { return 503 busy; }");
  FakeUpstream upstream(site.loop, 9000);
  upstream.reply = "HTTP/1.1 503 No\r\nContent-Length: 3\r\n\r\nbad";
  auto client = site.send({});
  site.run();
  CHECK(client->link.status == 503);
  CHECK(client->link.body == "busy");
}

TEST_CASE("variables tell of the upstream") {
  Site site(kPlain);
  FakeUpstream upstream(site.loop, 9000);
  auto client = site.send({});
  site.run(Duration(250));
  upstream.last().send(
      "HTTP/1.1 200 OK\r\nX-A-b: 1\r\nSet-Cookie: c=v; Path=/\r\nContent-Length: 2\r\n\r\nok");
  site.run();
  const auto value = [&](std::string_view name) { return client->value(site.variables, name); };
  CHECK(value("proxy_host") == "127.0.0.1:9000");
  CHECK(value("proxy_port") == "9000");
  CHECK(value("upstream_addr") == "127.0.0.1:9000");
  CHECK(value("upstream_status") == "200");
  CHECK(value("upstream_response_length") == "2");
  CHECK(value("upstream_connect_time") == "0.000");
  CHECK(value("upstream_header_time").starts_with("0.25"));
  CHECK(value("upstream_response_time").starts_with("0.25"));
  CHECK(value("upstream_bytes_received") == "75");
  CHECK(value("upstream_http_x_a_b") == "1");
  CHECK(value("upstream_cookie_c") == "v");
}

}  // namespace gatescope::upstream
