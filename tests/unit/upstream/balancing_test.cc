// How a group chooses among its servers, and what waits when there is none.

#include <map>

#include "proxy/http/encoding.h"
#include "proxy/upstream/key_hash.h"
#include "tests/unit/upstream/proxy_fixture.h"

namespace gatescope::upstream {

namespace {

std::vector<PeerAddress> peers(std::initializer_list<unsigned> weights) {
  std::vector<PeerAddress> list;
  std::uint16_t port = 1;
  for (const unsigned weight : weights) {
    const auto endpoint = *net::Endpoint::ip("10.0.0.1", port++);
    list.push_back({.endpoint = endpoint, .name = endpoint.to_string(), .weight = weight});
  }
  return list;
}

constexpr MonoTime kNow{std::chrono::seconds(100)};

constexpr const char* kWaiting =
    "location / { proxy_pass http://127.0.0.1:9000; proxy_wait_upstream 5s; }";

}  // namespace

TEST_CASE("least_conn takes the server with the fewest requests for its weight") {
  const auto list = peers({1, 2});
  Balancer balancer(list, Balancing::LeastConn, 1);
  std::vector<Balancer::Use> uses;
  for (int i = 0; i < 6; ++i)
    uses.push_back(balancer.use(*balancer.choose({}, {}, kNow)));
  CHECK(balancer.active(0) == 2);
  CHECK(balancer.active(1) == 4);
  uses.clear();
  CHECK(balancer.active(1) == 0);
}

TEST_CASE("max_conns: a full server is left out") {
  auto list = peers({1, 1});
  list[0].max_conns = 1;
  Balancer balancer(list, Balancing::RoundRobin, 1);
  const auto use = balancer.use(0);
  for (int i = 0; i < 3; ++i)
    CHECK(balancer.choose({}, {}, kNow) == 1U);
  CHECK(!balancer.choose({false, true}, {}, kNow));
}

TEST_CASE("ip_hash and hash keep a key at its server while that works") {
  for (const auto kind : {Balancing::IpHash, Balancing::Hash, Balancing::ConsistentHash}) {
    const auto list = peers({1, 1, 1});
    Balancer balancer(list, kind, 1);
    std::map<std::size_t, int> spread;
    for (int i = 0; i < 300; ++i) {
      const auto key = "10." + std::to_string(i) + ".0.1";
      const auto first = balancer.choose({}, key, kNow);
      REQUIRE(first);
      ++spread[*first];
      CHECK(balancer.choose({}, key, kNow) == first);
      TriedPeers tried(3);
      tried[*first] = true;
      CHECK(balancer.choose(tried, key, kNow) != first);
    }
    for (const auto& [peer, count] : spread)
      CHECK(count > 60);
    CHECK(spread.size() == 3);
  }
}

TEST_CASE("ip_hash and hash: while a server is away only its own keys go elsewhere") {
  for (const auto kind : {Balancing::IpHash, Balancing::Hash, Balancing::ConsistentHash}) {
    const auto list = peers({1, 2, 3});
    Balancer all(list, kind, 1), one_away(list, kind, 1);
    one_away.forbid(1);
    int moved = 0;
    for (int i = 0; i < 300; ++i) {
      const auto key = "10." + std::to_string(i % 256) + "." + std::to_string(i) + ".1";
      const auto before = all.choose({}, key, kNow), after = one_away.choose({}, key, kNow);
      if (before != 1U) CHECK(after == before);
      moved += before == 1U ? 1 : 0;
    }
    CHECK(moved > 50);
  }
}

TEST_CASE("hash: requests without a key take turns") {
  for (const auto kind : {Balancing::Hash, Balancing::ConsistentHash}) {
    Balancer balancer(peers({1, 1, 1}), kind, 1);
    std::map<std::size_t, int> spread;
    for (int i = 0; i < 6; ++i)
      ++spread[balancer.choose({}, "", kNow).value()];
    CHECK(spread == std::map<std::size_t, int>{{0, 2}, {1, 2}, {2, 2}});
  }
}

// Worked out from the description of nginx's modules: hash = (hash * 113 + octet) mod 6271, begun
// with 89; and the upper half of CRC-32, added up over the draws.
TEST_CASE("the numbers drawn for a key are nginx's") {
  AddressHash ten("10.0.0.1"), same("10.0.0.77"), six("::1"), unix_socket("unix:");
  const std::uint64_t expected = ((((89 * 113 + 10) % 6271) * 113) % 6271 * 113) % 6271;
  CHECK(ten.next() == expected);
  CHECK(same.next() == expected);
  CHECK(ten.next() == ((((expected * 113 + 10) % 6271) * 113) % 6271 * 113) % 6271);
  CHECK(six.next() != unix_socket.next());
  KeyHash key("123456789");  // whose CRC-32 is cbf43926
  const std::uint64_t first = (0xcbf43926u >> 16) & 0x7fff;
  CHECK(key.next() == first);
  CHECK(key.next() == first + ((http::checksum("1123456789") >> 16) & 0x7fff));
}

TEST_CASE("ip_hash: clients of one /24 share a server") {
  const auto list = peers({1, 1, 1, 1, 1});
  Balancer balancer(list, Balancing::IpHash, 1);
  CHECK(balancer.choose({}, "10.1.2.3", kNow) == balancer.choose({}, "10.1.2.200", kNow));
}

TEST_CASE("hash consistent: with a server more few keys move, and only to it") {
  const auto few = peers({1, 1, 1}), more = peers({1, 1, 1, 1});
  Balancer before(few, Balancing::ConsistentHash, 1), after(more, Balancing::ConsistentHash, 1);
  int moved = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto key = std::to_string(i);
    const auto a = before.choose({}, key, kNow), b = after.choose({}, key, kNow);
    if (a == b) continue;
    ++moved;
    CHECK(b == 3U);
  }
  CHECK(moved > 150);
  CHECK(moved < 350);
}

TEST_CASE("random goes by weight, of two it takes the one with less to do") {
  const auto list = peers({1, 3});
  Balancer random(list, Balancing::Random, 7);
  int second = 0;
  for (int i = 0; i < 1000; ++i)
    second += random.choose({}, {}, kNow) == 1U;
  CHECK(second > 680);
  CHECK(second < 820);

  const auto even = peers({1, 1});
  Balancer two(even, Balancing::RandomTwo, 7);
  const auto busy = two.use(0);
  for (int i = 0; i < 10; ++i)
    CHECK(two.choose({}, {}, kNow) == 1U);
}

TEST_CASE("slow_start: a server that was down comes back little by little") {
  auto list = peers({10, 10});
  list[0].slow_start = Duration(10'000);
  list[0].fail_timeout = Duration(1000);
  Balancer balancer(list, Balancing::RoundRobin, 1);
  balancer.report(0, false, kNow);
  const auto later = kNow + Duration(2000);
  while (balancer.choose({}, {}, later) != 0U)
    continue;  // its one try
  balancer.report(0, true, later + Duration(1));
  const auto share = [&](MonoTime at) {
    int count = 0;
    for (int i = 0; i < 110; ++i)
      count += balancer.choose({}, {}, at) == 0U;
    return count;
  };
  CHECK(share(later + Duration(1000)) < 20);
  CHECK(share(later + Duration(20'000)) > 45);
}

TEST_CASE("one method for a group is enough") {
  Site site("location / { proxy_pass http://u; }",
            "upstream u { server 127.0.0.1:9000; least_conn; ip_hash; }");
  CHECK(site.error.find("has a load balancing method already") != std::string::npos);
}

TEST_CASE("proxy_wait_upstream: a request waits for a backend that restarts") {
  Site site(kWaiting);
  auto get = site.send({});
  auto post = site.send({.method = "POST", .length = 2});
  post->body("ab");
  post->body_end();
  site.run(Duration(2000));
  CHECK(get->link.summary() == "0 '' open");
  FakeUpstream upstream(site.loop, 9000);
  upstream.reply = kOk;
  site.run(Duration(200));
  CHECK(get->link.summary() == "200 length=2 'ok' end");
  CHECK(post->link.summary() == "200 length=2 'ok' end");
  CHECK(get->value(site.variables, "upstream_addr") == "127.0.0.1:9000");
  CHECK(site.log.text.find("waits for an upstream that can be connected") != std::string::npos);
}

TEST_CASE("proxy_wait_upstream ends with 502, and lets no more wait than it says") {
  Site site("location / { proxy_pass http://127.0.0.1:9000; proxy_wait_upstream 5s requests=1; }");
  auto first = site.send({});
  site.run(Duration(20));
  auto second = site.send({});
  site.run(Duration(20));
  CHECK(second->link.status == 502);
  site.run(Duration(4000));
  CHECK(first->link.status == 0);
  site.run(Duration(2000));
  CHECK(first->link.status == 502);
  auto third = site.send({});  // the place is free again
  site.run(Duration(20));
  CHECK(third->link.status == 0);
}

TEST_CASE("proxy_wait_upstream: what closed without an answer is asked again if that is harmless") {
  Site site(kWaiting);
  FakeUpstream upstream(site.loop, 9000);
  auto get = site.send({});
  auto post = site.send({.method = "POST"});
  site.run();
  REQUIRE(upstream.connections.size() == 2);
  upstream.reply = kOk;
  upstream.connections[0]->finish();
  upstream.connections[1]->finish();
  site.run(Duration(200));
  CHECK(get->link.status == 200);
  CHECK(post->link.status == 502);
}

TEST_CASE("proxy_wait_upstream: a group whose servers all failed a moment ago is tried again") {
  Site site("location / { proxy_pass http://u; proxy_wait_upstream 5s; }",
            "upstream u { server 127.0.0.1:9000; server 127.0.0.1:9001; }");
  auto client = site.send({});
  site.run(Duration(500));
  CHECK(client->link.status == 0);
  FakeUpstream upstream(site.loop, 9001);
  upstream.reply = kOk;
  site.run(Duration(200));
  CHECK(client->link.status == 200);
}

}  // namespace gatescope::upstream
