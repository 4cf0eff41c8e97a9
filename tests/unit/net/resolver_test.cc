// Names into addresses over virtual time: what is kept, what is shared, and who waits how long.

#include "proxy/net/resolver.h"

#include "tests/support/catch.h"
#include "tests/support/sim_dns.h"
#include "tests/support/sim_loop.h"

namespace gatescope::net {

namespace {

struct Asker final : ResolveEvents {
  void on_resolved(const Resolved& resolved) override {
    for (const auto& address : resolved.addresses)
      said += address.address() + " ";
    for (const auto& s : resolved.services)
      said += s.target + ":" + std::to_string(s.port) + " ";
  }
  void on_resolve_failed(const Error& error) override {
    said += "failed: " + std::string(name_of(error.kind)) + " ";
  }
  std::unique_ptr<Resolver::Lookup> lookup;
  std::string said;
};

struct World {
  test::SimWorld world{3};
  test::SimLoop loop{world};
  test::SimDns dns;
  ResolverSettings settings{.servers = {*Endpoint::ip("10.0.0.1", 53)}, .valid = {}};
  std::unique_ptr<Resolver> resolver;

  World() { make(); }
  ~World() {
    loop.turn([&] { resolver.reset(); });
  }
  void make() {
    loop.turn([&] { resolver = std::make_unique<Resolver>(loop, settings, dns); });
  }
  std::unique_ptr<Asker> ask(std::string_view name, Resolver::Ask what = Resolver::Ask::Addresses,
                             Duration timeout = Duration(1000)) {
    auto asker = std::make_unique<Asker>();
    loop.turn([&] { asker->lookup = resolver->resolve(name, what, timeout, *asker); });
    return asker;
  }
  std::string now(std::string_view name) {
    auto asker = ask(name);
    world.run_for(Duration(100));
    return asker->said;
  }
};

DnsRecord alias(const std::string& name, const std::string& target, std::uint32_t ttl) {
  DnsRecord record;
  record.name = name;
  record.type = DnsType::Cname;
  record.target = target;
  record.ttl = ttl;
  return record;
}

}  // namespace

TEST_CASE("resolver: an answer is kept as long as it says, under any spelling of the name") {
  World w;
  w.dns.set("a.test", {"10.0.0.2", "10.0.0.2", "10.0.0.3"}, 10);
  CHECK(w.now("a.test") == "10.0.0.2 10.0.0.2 10.0.0.3 ");
  w.dns.set("a.test", {"10.0.0.4"}, 10);
  CHECK(w.now("A.Test.") == "10.0.0.2 10.0.0.2 10.0.0.3 ");
  CHECK(w.dns.asked("a.test") == 1);
  w.world.run_for(Duration(10'000));
  CHECK(w.now("a.test") == "10.0.0.4 ");
  CHECK(w.dns.asked("a.test") == 2);
}

TEST_CASE("resolver: valid= goes before what the answer says") {
  World w;
  w.settings.valid = Duration(1000);
  w.make();
  w.dns.set("a.test", {"10.0.0.2"}, 3600);
  (void)w.now("a.test");
  w.world.run_for(Duration(1000));
  (void)w.now("a.test");
  CHECK(w.dns.asked("a.test") == 2);
}

TEST_CASE("resolver: those who ask meanwhile share the question, and each has its own deadline") {
  World w;
  w.dns.set("a.test", {"10.0.0.2"});
  w.dns.delay = Duration(300);
  auto first = w.ask("a.test"), leaves = w.ask("a.test");
  auto hasty = w.ask("a.test", Resolver::Ask::Addresses, Duration(100));
  w.loop.turn([&] { leaves->lookup.reset(); });
  w.world.run_for(Duration(200));
  CHECK(hasty->said == "failed: timeout ");
  w.world.run_for(Duration(200));
  CHECK(first->said == "10.0.0.2 ");
  CHECK(leaves->said.empty());
  CHECK(w.dns.asked("a.test") == 1);
  CHECK(w.world.complaints().empty());
}

TEST_CASE("resolver: failures are told apart and not kept") {
  World w;
  CHECK(w.now("none.test") == "failed: not found ");
  w.dns.fail("bad.test", ErrorKind::Unavailable);
  CHECK(w.now("bad.test") == "failed: unavailable ");
  w.dns.set("bad.test", {"10.0.0.2"});
  CHECK(w.now("bad.test") == "10.0.0.2 ");
  // Half of an answer is none.
  w.dns.set("half.test", {"10.0.0.3"});
  w.dns.set_answer("half.test", DnsType::Aaaa,
                   make_error(ErrorKind::Unavailable, Origin::Upstream, ""));
  CHECK(w.now("half.test") == "failed: unavailable ");
  w.dns.set_answer("half.test", DnsType::Aaaa,
                   make_error(ErrorKind::NotFound, Origin::Upstream, ""));
  CHECK(w.now("half.test") == "10.0.0.3 ");
  w.dns.silent = true;
  auto asker = w.ask("late.test");
  w.world.run_for(Duration(2000));
  CHECK(asker->said == "failed: timeout ");
}

TEST_CASE("resolver: aliases are followed, within an answer and across, with the shortest time") {
  World w;
  w.dns.set("d.test", {"10.0.0.2"}, 100);
  w.dns.set_answer("a.test", DnsType::A,
                   DnsAnswer{alias("a.test", "b.test", 100), alias("b.test", "c.test", 5)});
  w.dns.set_answer("c.test", DnsType::A, DnsAnswer{alias("c.test", "d.test", 100)});
  CHECK(w.now("a.test") == "10.0.0.2 ");
  w.world.run_for(Duration(6000));
  CHECK(w.now("a.test") == "10.0.0.2 ");
  CHECK(w.dns.asked("a.test") == 2);
  w.dns.set_answer("x.test", DnsType::A, DnsAnswer{alias("x.test", "y.test", 5)});
  w.dns.set_answer("y.test", DnsType::A, DnsAnswer{alias("y.test", "x.test", 5)});
  auto asker = w.ask("x.test");
  w.world.run_for(Duration(500));
  CHECK(asker->said == "failed: not found ");
}

TEST_CASE("resolver: what is not asked for is not told") {
  World w;
  w.settings.ipv4 = false;
  w.make();
  w.dns.set("a.test", {"10.0.0.2"});
  DnsRecord v6;
  v6.name = "a.test";
  v6.type = DnsType::Aaaa;
  v6.address = *Endpoint::ip("::7", 0);
  w.dns.set_answer("a.test", DnsType::Aaaa, DnsAnswer{v6});
  CHECK(w.now("a.test") == "::7 ");
  CHECK(w.dns.asked("a.test") == 0);
}

TEST_CASE("resolver: the cache and the questions under way are bounded") {
  World w;
  for (std::size_t i = 0; i < Resolver::kMaxNames + 10; ++i) {
    const auto name = "n" + std::to_string(i) + ".test";
    w.dns.set(name, {"10.0.0.2"}, 100'000);
    (void)w.now(name);
  }
  CHECK(w.resolver->kept() == Resolver::kMaxNames);
  w.dns.silent = true;
  std::vector<std::unique_ptr<Asker>> many;
  for (std::size_t i = 0; i < Resolver::kMaxQuestions + 1; ++i)
    many.push_back(w.ask("q" + std::to_string(i) + ".test"));
  w.world.run_for(Duration(10));
  CHECK(many.front()->said.empty());
  CHECK(many.back()->said == "failed: busy ");
  w.loop.turn([&] { many.clear(); });
}

}  // namespace gatescope::net
