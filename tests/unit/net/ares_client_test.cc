// Questions to real name servers, and what they may answer.

#include "proxy/net/dns.h"
#include "tests/support/dns_server.h"
#include "tests/unit/net/net_fixture.h"

namespace gatescope::net {

namespace {

using test::DnsServer;

struct Asked final : DnsEvents {
  void on_dns_answer(std::uint64_t question, Result<DnsAnswer> answer) override {
    REQUIRE(question == 7);
    told = true;
    if (!answer) {
      said = "failed: " + std::string(name_of(answer.error().kind));
      return;
    }
    for (const auto& r : *answer)
      said += r.name + " " + std::to_string(r.ttl) + " " + r.address.address() + r.target + ":" +
              std::to_string(r.port) + " " + std::to_string(r.priority) + "," +
              std::to_string(r.weight) + ";";
  }
  bool told = false;
  std::string said;
};

Endpoint at(std::uint16_t port) {
  return *Endpoint::ip("127.0.0.1", port);
}

std::string ask(LoopFixture& f, const std::vector<Endpoint>& servers, const std::string& name,
                DnsType type = DnsType::A) {
  Asked asked;
  AresClients clients;
  auto client = clients.make(*f.loop, servers, asked);
  client->ask(name, type, 7);
  CHECK(!asked.told);
  f.until([&] { return asked.told; });
  return asked.said;
}

}  // namespace

TEST_CASE("dns: addresses, services, aliases, and names that are not there") {
  LoopFixture f;
  DnsServer server;
  server.set("a.test", {"10.0.0.1", "10.0.0.2"}, 17);
  server.set_service("_http._tcp.a.test", {{1, 2, 8080, "b.test"}}, 3);
  server.set_alias("c.test", "a.test", 5);
  const std::vector servers{at(server.port())};
  CHECK(ask(f, servers, "a.test") == "a.test 17 10.0.0.1:0 0,0;a.test 17 10.0.0.2:0 0,0;");
  CHECK(ask(f, servers, "_http._tcp.a.test", DnsType::Srv) ==
        "_http._tcp.a.test 3 b.test:8080 1,2;");
  CHECK(ask(f, servers, "c.test") == "c.test 5 a.test:0 0,0;");
  CHECK(ask(f, servers, "a.test", DnsType::Aaaa).empty());
  CHECK(ask(f, servers, "none.test") == "failed: not found");
  CHECK(ask(f, servers, "not..a.name") == "failed: not found");
}

TEST_CASE("dns: one that fails is passed over, one that talks nonsense is not believed") {
  LoopFixture f;
  DnsServer bad, good;
  bad.fail("a.test", DnsServer::kServerFailure);
  good.set("a.test", {"10.0.0.1"}, 1);
  CHECK(ask(f, {at(bad.port())}, "a.test") == "failed: unavailable");
  CHECK(bad.asked("a.test") == 1);
  CHECK(ask(f, {at(bad.port()), at(good.port())}, "a.test") == "a.test 1 10.0.0.1:0 0,0;");
  bad.set_garbage("b.test", "\xc0\xff");
  CHECK(ask(f, {at(bad.port())}, "b.test") == "failed: protocol");
}

TEST_CASE("dns: a client may go while its questions are open") {
  LoopFixture f;
  DnsServer server;
  server.fail("a.test", DnsServer::kSilence);
  Asked asked;
  AresClients clients;
  auto client = clients.make(*f.loop, {at(server.port())}, asked);
  client->ask("a.test", DnsType::A, 7);
  while (server.asked("a.test") == 0)
    f.turns(1);
  client.reset();
  f.turns(3);
  CHECK(!asked.told);
}

TEST_CASE("dns: every cut and every changed byte of an answer is judged without harm") {
  const std::string head("\0\1\x81\x80\0\1\0\2\0\0\0\0", 12);
  const std::string question("\1a\4test\0\0\1\0\1", 12);
  const std::string record("\xc0\x0c\0\1\0\1\0\0\0\5\0\4\1\2\3\4", 16);
  const std::string service("\xc0\x0c\0\x21\0\1\0\0\0\5\0\x9\0\1\0\2\0\3\1b\0", 21);
  const std::string whole = head + question + record + service;
  const auto read = [](const std::string& text) {
    return read_dns_answer({reinterpret_cast<const unsigned char*>(text.data()), text.size()});
  };
  const auto answer = read(whole);
  REQUIRE(answer);
  REQUIRE(answer->size() == 2);
  CHECK((*answer)[0].address.address() == "1.2.3.4");
  CHECK((*answer)[1].target == "b");
  for (std::size_t n = 0; n < whole.size(); ++n) {
    CHECK(!read(whole.substr(0, n)));
    for (const char change : {'\0', '\x01', '\x3f', '\xc0', '\xff'}) {
      auto changed = whole;
      changed[n] = change;
      (void)read(changed);
    }
  }
}

}  // namespace gatescope::net
