// Active health checks: who is taken out, who comes back, and what is remembered.

#include "tests/unit/upstream/proxy_fixture.h"

namespace gatescope::upstream {

namespace {

constexpr const char* kTwoServers = "upstream u { server 127.0.0.1:9001; server 127.0.0.1:9002; }";

std::string checked(const std::string& parameters, const std::string& more = "") {
  return "location / { proxy_pass http://u; health_check " + parameters + "; " + more + " }";
}

std::string reply(int status, const std::string& body = "ok", const std::string& fields = "") {
  return "HTTP/1.1 " + std::to_string(status) + " x\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// A pair of servers, of which the first is good or bad.
struct Pair {
  explicit Pair(Site& site) : site(site), first(site.loop, 9001), second(site.loop, 9002) {
    first.reply = second.reply = kOk;
    first.always = second.always = true;
  }
  /// "12": both are used.
  std::string used() {
    bool one = false, two = false;
    for (int i = 0; i < 4; ++i) {
      auto client = site.send({});
      site.run(Duration(10));
      const auto addresses = client->value(site.variables, "upstream_addr");
      one = one || addresses.starts_with("127.0.0.1:9001");
      two = two || addresses.starts_with("127.0.0.1:9002");
    }
    return std::string(one ? "1" : "") + (two ? "2" : "");
  }
  int count(std::string_view text) const {
    int n = 0;
    for (auto at = site.log.text.find(text); at != std::string::npos;
         at = site.log.text.find(text, at + 1))
      ++n;
    return n;
  }
  Site& site;
  FakeUpstream first, second;
};

}  // namespace

TEST_CASE("health_check: a server that answers badly is taken out, and comes back") {
  Site site(checked("interval=1s fails=2 passes=3"), kTwoServers);
  REQUIRE(site.error.empty());
  Pair pair(site);
  site.run(Duration(100));
  pair.first.reply = reply(503);
  site.run(Duration(2500));
  CHECK(pair.used() == "2");
  CHECK(
      site.log.text.find("peer is unhealthy while checking status code 503, health check \"/\" of "
                         "peer 127.0.0.1:9001 in upstream \"u\"") != std::string::npos);
  CHECK(pair.count("unhealthy") == 1);
  pair.first.reply = kOk;
  site.run(Duration(1500));
  CHECK(pair.used() == "2");  // not yet three in a row
  site.run(Duration(2000));
  CHECK(pair.used() == "12");
  CHECK(pair.count("peer is healthy") == 1);
}

TEST_CASE("health_check: one failure is none where two are needed in a row") {
  Site site(checked("interval=1s fails=2"), kTwoServers);
  Pair pair(site);
  for (int i = 0; i < 4; ++i) {
    pair.first.reply = i % 2 ? reply(500) : reply(200);
    site.run(Duration(1010));
  }
  CHECK(pair.count("unhealthy") == 0);
}

TEST_CASE("health_check: it speaks as the location does, on a connection of its own") {
  Site site(checked("uri=/health?x=1",
                    "proxy_set_header Host $proxy_host; proxy_set_header X-Key k; "
                    "proxy_set_header X-Real-IP $remote_addr;"),
            kTwoServers);
  Pair pair(site);
  site.run(Duration(6000));
  REQUIRE(!pair.first.connections.empty());
  CHECK(pair.first.last().received ==
        "GET /health?x=1 HTTP/1.1\r\nHost: u\r\nX-Key: k\r\nConnection: close\r\n\r\n");
  CHECK(pair.first.connections.size() == 2);
  site.load(checked("keepalive_time=1h"), kTwoServers);
  const auto before = pair.first.connections.size();
  site.run(Duration(60'000));
  CHECK(pair.first.connections.size() == before + 1);
}

TEST_CASE("health_check: silence, refusals and endless bodies are failures or bounded") {
  Site site(checked("interval=1s", "proxy_read_timeout 2s; proxy_connect_timeout 1s;"),
            "upstream u { server 127.0.0.1:9001; server 127.0.0.1:9002; server 127.0.0.1:9003; }");
  Pair pair(site);
  pair.first.reply.clear();
  pair.second.reply = "HTTP/1.1 200 OK\r\n\r\n" + std::string(300 * 1024, 'x');
  site.run(Duration(6000));
  CHECK(site.log.text.find("upstream timed out (110: Connection timed out) while reading response "
                           "header from upstream, health check \"/\" of peer 127.0.0.1:9001") !=
        std::string::npos);
  CHECK(site.log.text.find("of peer 127.0.0.1:9002") == std::string::npos);
  CHECK(site.log.text.find("of peer 127.0.0.1:9003") != std::string::npos);
}

TEST_CASE("health_check: mandatory servers wait for their first check, persistent ones once only") {
  const auto persistent = checked("mandatory persistent");
  Site site(persistent, kTwoServers);
  auto early = site.send({});
  site.run(Duration(10));
  CHECK(early->link.status == 502);
  Pair pair(site);
  site.run(Duration(6000));
  CHECK(pair.used() == "12");
  pair.first.reply = pair.second.reply = "";  // nobody answers any more
  site.load(persistent, kTwoServers);
  auto client = site.send({});
  CHECK(client->value(site.variables, "upstream_addr").starts_with("127.0.0.1:"));
  site.load(checked("mandatory"), kTwoServers);
  auto late = site.send({});
  CHECK(late->link.status == 502);
}

TEST_CASE("health_check: what was found out outlives a reload, also of a group that changed") {
  Site site(checked("interval=1h"), kTwoServers);
  Pair pair(site);
  pair.first.reply = reply(500);
  site.load(checked("interval=1h"), kTwoServers);
  site.run(Duration(50));
  CHECK(pair.used() == "2");
  pair.first.reply = "";  // its next check does not end soon
  site.load(checked("interval=1h"),
            "upstream u { server 127.0.0.1:9001; server 127.0.0.1:9002 weight=2; }");
  CHECK(pair.used() == "2");
  // A configuration without the check lets everybody back in.
  site.load("location / { proxy_pass http://u; }", kTwoServers);
  pair.first.reply = kOk;
  CHECK(pair.used() == "12");
}

TEST_CASE("health_check: a server that comes back starts slowly") {
  Site site(checked("interval=1s"),
            "upstream u { server 127.0.0.1:9001 weight=10 slow_start=20s; "
            "server 127.0.0.1:9002 weight=10; }");
  Pair pair(site);
  pair.first.reply = reply(500);
  site.load(checked("interval=1s"),
            "upstream u { server 127.0.0.1:9001 weight=10 slow_start=20s; "
            "server 127.0.0.1:9002 weight=10; }");
  site.run(Duration(1500));
  pair.first.reply = kOk;
  site.run(Duration(1500));
  int first = 0;
  for (int i = 0; i < 20; ++i) {
    auto client = site.send({});
    site.run(Duration(10));
    first += client->value(site.variables, "upstream_addr") == "127.0.0.1:9001";
  }
  CHECK(first > 0);
  CHECK(first < 5);
}

TEST_CASE("health_check: addresses of a watched name are checked as they come") {
  const std::string group = "resolver 10.0.0.53; upstream u { server app.test:9001 resolve; }";
  Site site(checked("interval=1s"), group);
  FakeUpstream first(site.loop, 9001, "10.0.0.1"), second(site.loop, 9001, "10.0.0.2");
  first.reply = kOk;
  second.reply = reply(500);
  site.dns.set("app.test", {"10.0.0.1"}, 5);
  site.run(Duration(11'000));
  site.dns.set("app.test", {"10.0.0.1", "10.0.0.2"}, 5);
  site.run(Duration(7000));
  CHECK(site.log.text.find("of peer 10.0.0.2:9001 in upstream \"u\"") != std::string::npos);
  site.dns.set("app.test", {"10.0.0.1"}, 5);
  site.run(Duration(7000));
  const auto checks = second.connections.size();
  site.run(Duration(7000));
  CHECK(second.connections.size() == checks);
}

TEST_CASE("match: status, fields and body") {
  struct Row {
    std::string_view block;
    std::string answer;
    bool passes;
  };
  const std::string html = "Content-Type: text/html\r\nX-A: one\r\nX-A: two\r\n";
  const Row rows[] = {
      {"", reply(302), true},
      {"", reply(404), false},
      {"status 200;", reply(204), false},
      {"status 200 204;", reply(204), true},
      {"status ! 500 503;", reply(404), true},
      {"status ! 500 503;", reply(503), false},
      {"status 200-399 418;", reply(418), true},
      {"header Content-Type = text/html;", reply(200, "", html), true},
      {"header Content-Type = text/plain;", reply(200, "", html), false},
      {"header X-A = two;", reply(200, "", html), true},
      {"header X-A != two;", reply(200, "", html), false},
      {"header ! X-B;", reply(200, "", html), true},
      {"header X-B;", reply(200, "", html), false},
      {"header ! x-a;", reply(200, "", html), false},
      {"header X-A ~ ^t;", reply(200, "", html), true},
      {"header X-A !~ ^t;", reply(200, "", html), false},
      {"body ~ \"Welcome to .*!\";", reply(200, "Welcome to us!"), true},
      {"body ~ \"Welcome to .*!\";", reply(200, "Go away"), false},
      {"body !~ maintenance;", reply(200, "in maintenance"), false},
      {"status 200; header X-A; body ~ x;", reply(200, "x", html), true},
  };
  for (const auto& row : rows) {
    INFO(row.block << " against " << row.answer);
    const std::string match = "match m { " + std::string(row.block) + " }";
    Site site(checked("interval=1h match=m"), "upstream u { server 127.0.0.1:9001; }", match);
    REQUIRE(site.error.empty());
    FakeUpstream upstream(site.loop, 9001);
    upstream.reply = row.answer;
    site.load(checked("interval=1s match=m"), "upstream u { server 127.0.0.1:9001; }", match);
    site.run(Duration(3000));
    const bool passed = site.log.text.find("unhealthy") == std::string::npos ||
                        site.log.text.find("peer is healthy") != std::string::npos;
    CHECK(passed == row.passes);
  }
}

TEST_CASE("health_check and match: what is not valid is told") {
  struct Row {
    std::string locations, outside;
    std::string_view message;
  };
  const Row rows[] = {
      {checked("interval=0"), kTwoServers, "invalid parameter \"interval=0\""},
      {checked("uri=health"), kTwoServers, "invalid parameter \"uri=health\""},
      {checked("persistent"), kTwoServers, "\"persistent\" needs \"mandatory\""},
      {checked("match=m"), kTwoServers, "no \"match m { ... }\" in http"},
      {"location / { proxy_pass http://$host; health_check; }", "", "without variables"},
      {checked(""), std::string(kTwoServers) + " match m { status 99; }", "invalid status \"99\""},
      {checked(""), std::string(kTwoServers) + " match m { header X is 1; }",
       "must be \"header name;\""},
      {checked(""), std::string(kTwoServers) + " match m { body = x; }",
       "must be \"body ~ regex;\""},
      {checked(""), std::string(kTwoServers) + " match m { } match m { }", "duplicate match \"m\""},
  };
  for (const auto& row : rows) {
    Site site(row.locations, row.outside);
    INFO(site.error);
    CHECK(site.error.find(row.message) != std::string::npos);
  }
}

TEST_CASE("proxy_send_proxy_protocol: each request tells of its client, and shares nothing") {
  Site site(
      "location / { proxy_pass http://127.0.0.1:9001; proxy_send_proxy_protocol v1; } "
      "location /two { proxy_pass http://127.0.0.1:9001; proxy_send_proxy_protocol v2; } "
      "location /plain { proxy_pass http://127.0.0.1:9001; }");
  REQUIRE(site.error.empty());
  FakeUpstream upstream(site.loop, 9001);
  upstream.reply = kOk;
  upstream.always = true;
  auto plain = site.send({.target = "/plain"});
  site.run();
  CHECK(upstream.connections.size() == 1);
  site.set_addresses(*net::Endpoint::ip("192.0.2.7", 1234), *net::Endpoint::ip("192.0.2.1", 80));
  auto first = site.send({});
  site.run();
  CHECK(first->link.summary() == "200 length=2 'ok' end");
  REQUIRE(upstream.connections.size() == 2);
  CHECK(upstream.last().received.starts_with(
      "PROXY TCP4 192.0.2.7 192.0.2.1 1234 80\r\nGET / HTTP/1.1\r\n"));
  CHECK(upstream.last().received.find("\r\nConnection: close\r\n") != std::string::npos);
  site.set_addresses(*net::Endpoint::ip("192.0.2.7", 258), *net::Endpoint::ip("2001:db8::1", 80));
  auto second = site.send({.target = "/two"});
  site.run();
  REQUIRE(upstream.connections.size() == 3);
  const std::string begin(
      "\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\7 \1\xd\xb8", 36);
  CHECK(upstream.last().received.starts_with(begin));
  CHECK(upstream.last().received.find(std::string("\1\2\0\x50GET /two ", 13)) == 48);
  auto again = site.send({.target = "/plain"});
  site.run();
  CHECK(upstream.connections.size() == 3);  // the first's, which was kept
}

}  // namespace gatescope::upstream
