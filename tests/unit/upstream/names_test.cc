// Names that are asked for while the program runs: by variables in proxy_pass, and by `resolve`.

#include "tests/unit/upstream/proxy_fixture.h"

namespace gatescope::upstream {

namespace {

constexpr const char* kResolver = "resolver 10.0.0.53; ";

std::string with_resolver(const std::string& more) {
  return kResolver + more;
}

/// Upstreams at addresses of their own that say which they are.
struct Hosts {
  explicit Hosts(Site& site) : site_(site) {}
  FakeUpstream& add(const std::string& address, std::uint16_t port) {
    auto& host = hosts.emplace_back(std::make_unique<FakeUpstream>(site_.loop, port, address));
    host->reply = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(address.size()) +
                  "\r\n\r\n" + address;
    host->always = true;
    return *host;
  }
  std::string ask() {
    auto client = site_.send({});
    site_.run();
    return client->link.status == 200 ? client->link.body : std::to_string(client->link.status);
  }
  std::vector<std::unique_ptr<FakeUpstream>> hosts;

 private:
  Site& site_;
};

net::DnsRecord service(const std::string& target, std::uint16_t port, std::uint16_t priority,
                       std::uint16_t weight) {
  net::DnsRecord record;
  record.name = "_http._tcp.app.test";
  record.type = net::DnsType::Srv;
  record.ttl = 60;
  record.target = target;
  record.port = port;
  record.priority = priority;
  record.weight = weight;
  return record;
}

constexpr const char* kWatched = "upstream u { server app.test:8080 resolve; }";
constexpr const char* kToUInASecond =
    "location / { proxy_pass http://u; proxy_connect_timeout 1s; }";

}  // namespace

TEST_CASE("proxy_pass with variables asks the resolver for a name") {
  Site site("location / { proxy_pass http://$http_x:8080; }", kResolver);
  site.dns.set("app.test", {"10.0.0.1", "10.0.0.2"});
  FakeUpstream second(site.loop, 8080, "10.0.0.2");
  second.reply = kOk;
  auto client = site.send({.headers = {{"X", "app.test"}}});
  site.run();
  CHECK(client->link.status == 200);  // the first does not listen
  CHECK(second.last().received.find("Host: app.test:8080\r\n") != std::string::npos);
  auto nobody = site.send({.headers = {{"X", "none.test"}}});
  site.run();
  CHECK(nobody->link.status == 502);
  CHECK(site.log.text.find("none.test could not be resolved (3: Host not found)") !=
        std::string::npos);
  // One that leaves while its name is asked for
  site.dns.silent = true;
  auto leaves = site.send({.headers = {{"X", "late.test"}}});
  site.run();
  leaves->leave();
  auto late = site.send({.headers = {{"X", "late.test"}}});
  site.run(Duration(31'000));
  CHECK(late->link.status == 502);
}

TEST_CASE("proxy_pass with variables: a body waits until the name is known") {
  Site site("location / { proxy_pass http://$http_x:8080; }", kResolver);
  site.dns.set("app.test", {"10.0.0.1"});
  site.dns.delay = Duration(20);
  FakeUpstream upstream(site.loop, 8080, "10.0.0.1");
  auto client = site.send({.method = "POST", .headers = {{"X", "app.test"}}, .length = 4});
  CHECK(!client->link.wants);
  site.run(Duration(30));
  REQUIRE(client->link.wants);
  client->body("body");
  client->body_end();
  site.run();
  CHECK(upstream.last().received.ends_with("\r\n\r\nbody"));
}

TEST_CASE("resolve: a name that is not found stops nothing, and is found later") {
  Site site(kToUInASecond, with_resolver(kWatched));
  REQUIRE(site.error.empty());
  Hosts hosts(site);
  hosts.add("10.0.0.1", 8080);
  site.run();
  CHECK(hosts.ask() == "502");
  CHECK(site.log.text.find("no live upstreams while connecting to upstream") != std::string::npos);
  site.dns.set("app.test", {"10.0.0.1"});
  site.run(Duration(10'100));
  CHECK(hosts.ask() == "10.0.0.1");
}

TEST_CASE("resolve: peers follow the name, and those that stay keep their connections") {
  Site site(kToUInASecond, with_resolver(kWatched));
  Hosts hosts(site);
  auto& first = hosts.add("10.0.0.1", 8080);
  hosts.add("10.0.0.2", 8080);
  auto& third = hosts.add("10.0.0.3", 8080);
  site.dns.set("app.test", {"10.0.0.1", "10.0.0.2"}, 5);
  site.load(kToUInASecond, with_resolver(kWatched));
  site.run(Duration(10'100));
  CHECK(hosts.ask() == "10.0.0.1");
  CHECK(hosts.ask() == "10.0.0.2");
  site.dns.set("app.test", {"10.0.0.3", "10.0.0.1"}, 5);
  site.run(Duration(6000));
  for (int i = 0; i < 6; ++i)
    CHECK(hosts.ask() != "10.0.0.2");
  CHECK(first.connections.size() == 1);  // the one that it had
  CHECK(third.connections.size() == 1);
  CHECK(hosts.hosts[1]->last().ended);
  // An answer that fails changes nothing; a name that is gone takes its servers along.
  site.dns.fail("app.test", ErrorKind::Unavailable);
  site.run(Duration(60'000));
  CHECK(hosts.ask() != "502");
  CHECK(site.log.text.find("app.test could not be resolved (it failed); its last known addresses "
                           "are used") != std::string::npos);
  site.dns.forget("app.test");
  site.run(Duration(60'000));
  CHECK(hosts.ask() == "502");
  site.dns.set("app.test", {"10.0.0.2"}, 5);
  site.run(Duration(11'000));
  CHECK(hosts.ask() == "10.0.0.2");
}

TEST_CASE("resolve: a request in flight ends where it began, whatever the name says meanwhile") {
  Site site(kToUInASecond, with_resolver(kWatched));
  site.dns.set("app.test", {"10.0.0.1"}, 5);
  FakeUpstream first(site.loop, 8080, "10.0.0.1"), second(site.loop, 8080, "10.0.0.2");
  second.reply = kOk;
  site.run(Duration(10'100));
  auto slow = site.send({});
  site.run();
  REQUIRE(first.connections.size() == 1);
  site.dns.set("app.test", {"10.0.0.2"}, 5);
  site.run(Duration(6000));
  auto fast = site.send({});
  site.run();
  CHECK(fast->value(site.variables, "upstream_addr") == "10.0.0.2:8080");
  first.last().send(kOk);
  site.run();
  CHECK(slow->link.summary() == "200 length=2 'ok' end");
  CHECK(slow->value(site.variables, "upstream_addr") == "10.0.0.1:8080");
}

TEST_CASE("resolve: a reload has the addresses at once, with the port that it names") {
  Site site(kToUInASecond, with_resolver(kWatched));
  site.dns.set("app.test", {"10.0.0.1"}, 5);
  Hosts hosts(site);
  hosts.add("10.0.0.1", 8080);
  hosts.add("10.0.0.1", 9090);
  site.run(Duration(10'100));
  site.dns.silent = true;
  site.load(kToUInASecond, with_resolver("upstream u { server app.test:9090 resolve; }"));
  auto client = site.send({});
  site.run();
  CHECK(client->value(site.variables, "upstream_addr") == "10.0.0.1:9090");
  // What no configuration names is not asked for.
  site.dns.silent = false;
  site.load("location / { proxy_pass http://10.0.0.1:9090; }");
  const int asked = site.dns.asked("app.test");
  site.run(Duration(100'000));
  CHECK(site.dns.asked("app.test") == asked);
}

TEST_CASE("service=: ports, weights and backups come from the records") {
  const auto group = with_resolver(
      "upstream u { server app.test resolve service=http; } proxy_next_upstream error;");
  Site site(kToUInASecond, group);
  site.dns.set_answer("_http._tcp.app.test", net::DnsType::Srv,
                      net::DnsAnswer{service("a.test", 81, 1, 1), service("b.test", 82, 1, 3),
                                     service("c.test", 83, 2, 1)});
  site.dns.set("a.test", {"10.0.0.1"});
  site.dns.set("b.test", {"10.0.0.2"});
  site.dns.set("c.test", {"10.0.0.3"});
  Hosts hosts(site);
  hosts.add("10.0.0.1", 81);
  hosts.add("10.0.0.2", 82);
  hosts.add("10.0.0.3", 83);
  site.run(Duration(10'100));
  std::string seen;
  for (int i = 0; i < 8; ++i)
    seen += hosts.ask().back();
  CHECK(std::count(seen.begin(), seen.end(), '1') == 2);
  CHECK(std::count(seen.begin(), seen.end(), '2') == 6);
  site.dns.set_answer("_http._tcp.app.test", net::DnsType::Srv,
                      net::DnsAnswer{service("none.test", 81, 1, 1), service("c.test", 83, 2, 1)});
  site.run(Duration(61'000));
  CHECK(hosts.ask() == "10.0.0.3");
  // One of its names fails: nothing changes.
  site.dns.fail("none.test", ErrorKind::Unavailable);
  site.dns.forget("c.test");
  site.run(Duration(61'000));
  CHECK(hosts.ask() == "10.0.0.3");
}

TEST_CASE("resolver, resolve and service=: what is not valid is told") {
  struct Row {
    std::string_view outside, message;
  };
  const Row rows[] = {
      {"upstream u { server a.test resolve; }",
       "no resolver defined to resolve names at run time in upstream \"u\""},
      {"upstream u { server a.test service=http; }", "requires \"resolve\" parameter"},
      {"upstream u { server a.test:80 resolve service=http; }", "may not have port"},
      {"upstream u { server 10.0.0.1 resolve service=http; }", "requires domain name"},
      {"resolver valid=5s;", "no name servers defined"},
      {"resolver 10.0.0.1 valid=soon;", "invalid parameter: valid=soon"},
      {"resolver 10.0.0.1 ipv6=maybe;", "invalid parameter: ipv6=maybe"},
      {"resolver 10.0.0.1 ipv4=off ipv6=off;", "cannot both be \"off\""},
      {"resolver 10.0.0.1:99999;", "invalid port"},
      {"resolver 10.0.0.1; resolver 10.0.0.2;", "is duplicate"},
  };
  for (const auto& row : rows) {
    INFO(row.outside);
    Site site("location / { proxy_pass http://u; }", row.outside);
    CHECK(site.error.find(row.message) != std::string::npos);
    if (site.error.find(row.message) == std::string::npos) WARN(site.error);
  }
  // An address needs no resolver.
  Site site(kToUInASecond, "upstream u { server 10.0.0.1 resolve; }");
  CHECK(site.error.empty());
}

TEST_CASE("balancer: a number that is used is given to nobody else") {
  const auto peer = [](const char* address) {
    PeerAddress made;
    made.endpoint = *net::Endpoint::ip(address, 80);
    made.name = address;
    return made;
  };
  Balancer balancer({peer("10.0.0.1")}, Balancing::RoundRobin, 1);
  auto use = balancer.use(0);
  CHECK(balancer.replace(0, {peer("10.0.0.2")}));
  CHECK(!balancer.replace(0, {peer("10.0.0.2")}));
  const MonoTime now = MonoTime{} + Duration(100'000);
  CHECK(balancer.choose({}, {}, now) == 1U);
  use = {};
  CHECK(balancer.replace(0, {peer("10.0.0.2"), peer("10.0.0.3")}));
  std::uint64_t version = 0;
  const auto peers = balancer.peers(version);
  REQUIRE(peers.size() == 2);
  CHECK(peers[0]->name == "10.0.0.3");
  CHECK(peers[1]->name == "10.0.0.2");
}

}  // namespace gatescope::upstream
