// Groups: round robin, failures, backups, the next server, reloads.

#include "tests/unit/upstream/proxy_fixture.h"

namespace gatescope::upstream {

namespace {

UpstreamSpec three(unsigned a, unsigned b, unsigned c) {
  UpstreamSpec spec;
  spec.name = "u";
  std::uint16_t port = 1;
  for (unsigned weight : {a, b, c})
    spec.servers.push_back(
        {.name = "x", .endpoints = {*net::Endpoint::ip("10.0.0.1", port++)}, .weight = weight});
  return spec;
}

std::string order(UpstreamOnLoop& group, int n) {
  std::string text;
  for (int i = 0; i < n; ++i) {
    const auto peer = group.choose({});
    text += peer ? static_cast<char>('a' + *peer) : '-';
  }
  return text;
}

constexpr const char* kPair = "upstream u { server 127.0.0.1:9001; server 127.0.0.1:9002; }";
constexpr const char* kToU = "location / { proxy_pass http://u; }";

}  // namespace

TEST_CASE("smooth weighted round robin") {
  test::SimWorld world(1);
  test::SimLoop loop(world);
  Upstream even(three(1, 1, 1)), weighted(three(5, 1, 1));
  CHECK(order(even.on(loop), 6) == "abcabc");
  CHECK(order(weighted.on(loop), 7) == "aabacaa");
}

TEST_CASE("a failed server is left out for fail_timeout, then tried once") {
  test::SimWorld world(1);
  test::SimLoop loop(world);
  Upstream upstream(three(1, 1, 1));
  auto& group = upstream.on(loop);
  group.report(0, false);
  CHECK(order(group, 4).find('a') == std::string::npos);
  world.run_for(Duration(11'000));
  loop.turn([] {});
  const auto later = order(group, 6);
  CHECK(std::count(later.begin(), later.end(), 'a') == 1);  // one try, until its outcome is known
  group.report(0, true);
  CHECK(order(group, 6).find('a') != std::string::npos);
}

TEST_CASE("backups and down servers") {
  test::SimWorld world(1);
  test::SimLoop loop(world);
  auto spec = three(1, 1, 1);
  spec.servers[1].down = true;
  spec.servers[2].backup = true;
  Upstream upstream(std::move(spec));
  auto& group = upstream.on(loop);
  CHECK(order(group, 3) == "aaa");
  CHECK(group.choose({true, false, false}) == 2U);
  CHECK(!group.choose({true, false, true}));
}

TEST_CASE("the next server is tried where that is harmless") {
  struct Row {
    std::string_view what, extra, method,
        first;  // first: the first server's reply; empty: it does not listen
    int status;
    std::string_view addresses;
  };
  const Row rows[] = {
      {"refused", "", "GET", "", 200, "127.0.0.1:9001, 127.0.0.1:9002"},
      {"refused, POST: nothing was sent", "", "POST", "", 200, "127.0.0.1:9001, 127.0.0.1:9002"},
      {"off", "proxy_next_upstream off;", "GET", "", 502, "127.0.0.1:9001"},
      {"one try", "proxy_next_upstream_tries 1;", "GET", "", 502, "127.0.0.1:9001"},
      {"garbage is no error", "", "GET", "garbage", 502, "127.0.0.1:9001"},
      {"invalid_header", "proxy_next_upstream invalid_header;", "GET", "garbage", 200,
       "127.0.0.1:9001, 127.0.0.1:9002"},
      {"POST, sent", "proxy_next_upstream invalid_header;", "POST", "garbage", 502,
       "127.0.0.1:9001"},
      {"POST, non_idempotent", "proxy_next_upstream invalid_header non_idempotent;", "POST",
       "garbage", 200, "127.0.0.1:9001, 127.0.0.1:9002"},
      {"http_503", "proxy_next_upstream http_503;", "GET",
       "HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n", 200, "127.0.0.1:9001, 127.0.0.1:9002"},
      {"503 not listed", "", "GET", "HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n", 503,
       "127.0.0.1:9001"},
      {"cut after the head", "", "GET", "HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\n", 200,
       "127.0.0.1:9001"},
  };
  for (const auto& row : rows) {
    INFO(row.what);
    Site site("location / { proxy_pass http://u; " + std::string(row.extra) + " }", kPair);
    INFO(site.error);
    std::unique_ptr<FakeUpstream> first;
    if (!row.first.empty()) {
      first = std::make_unique<FakeUpstream>(site.loop, 9001);
      first->reply = row.first;
    }
    FakeUpstream second(site.loop, 9002);
    second.reply = kOk;
    auto client = site.send({.method = row.method});
    site.run();
    CHECK(client->link.status == row.status);
    CHECK(client->value(site.variables, "upstream_addr") == row.addresses);
  }
}

TEST_CASE("a timeout tries the next server, all dead is 504 then 502") {
  Site site("location / { proxy_pass http://u; proxy_read_timeout 1s; }", kPair);
  FakeUpstream first(site.loop, 9001), second(site.loop, 9002);
  auto client = site.send({});
  site.run(Duration(1500));
  CHECK(client->link.status == 0);
  site.run(Duration(1500));
  CHECK(client->link.status == 504);
  CHECK(client->value(site.variables, "upstream_status") == "504, 504");
  auto later = site.send({});
  site.run();
  CHECK(later->link.status == 502);
  CHECK(site.log.text.find(
            "no live upstreams while connecting to upstream, upstream: \"http://u/\"") !=
        std::string::npos);
}

TEST_CASE("a body goes to the server that takes it") {
  Site site(kToU, kPair);
  FakeUpstream second(site.loop, 9002);
  auto client = site.send({.method = "POST", .length = 3});
  site.run();
  REQUIRE(client->link.wants);
  client->body("abc");
  client->body_end();
  site.run();
  CHECK(second.last().received.ends_with("\r\n\r\nabc"));
}

TEST_CASE("an upstream block may stand behind its use, and be named by a variable") {
  constexpr const char* kBlock = "upstream u { server 127.0.0.1:9002; }";
  for (std::string_view location :
       {"location / { proxy_pass http://u; }", "location / { set $g u; proxy_pass http://$g; }"}) {
    Site site(location, "", kBlock);
    FakeUpstream upstream(site.loop, 9002);
    upstream.reply = kOk;
    auto client = site.send({});
    site.run();
    CHECK(client->link.status == 200);
  }
}

TEST_CASE("equal groups share their state over a reload, changed ones do not") {
  Site site(kToU, kPair);
  CHECK(site.module.size() == 1);
  CHECK(site.module.make(*site.scope));
  CHECK(site.module.size() == 1);
  CHECK(three(1, 1, 1).key() == three(1, 1, 1).key());
  CHECK(three(1, 1, 1).key() != three(1, 2, 1).key());
}

}  // namespace gatescope::upstream
