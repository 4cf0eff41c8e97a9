// Factors: stored ones, those found in time, those found later.

#include "tests/unit/api/fake_factoring.h"
#include "tests/unit/api/service_fixture.h"

namespace gatescope::api {
namespace {

struct FactorsFixture : ServiceFixture {
  FakeFactoring factoring;
  FactorsFixture() {
    more.factoring = &factoring;
    use(true);
  }
  ~FactorsFixture() {
    waiters.clear();
    loop.turn([&] { service.use({}); });
  }
  StoredSequence primes(std::optional<Terms> known = std::nullopt) {
    auto stored = row("The prime numbers.", {"2", "3", "5"});
    stored.factors = std::move(known);
    return stored;
  }
  FakeFactoring::Asked& wait_for_work(std::size_t requests = 1) {
    REQUIRE(until([&] { return factoring.asked.size() == requests; }));
    return *factoring.asked.back();
  }
  void factored(FakeFactoring::Asked& asked, std::initializer_list<const char*> factors) {
    loop.turn([&] { asked.answer(factors); });
  }
};

TEST_CASE("stored factors are answered without factoring, cut as asked") {
  FactorsFixture f;
  auto& waiter = f.ask(factors("2"));
  f.stored(f.primes(terms_of({"[2,1]", "[3,1]"})));
  REQUIRE(f.told(waiter));
  CHECK(waiter.body() ==
        R"({"factors":{"1":"[2,1]","2":"[3,1]"},"id":"A000040","name":"The prime numbers."})"
        "\n");
  CHECK(waiter.complete());
  CHECK(f.factoring.requests == 0);
  CHECK(f.find(factors("1")));
  CHECK(!f.find(factors("3")));
  CHECK(f.until([&] { return f.service.flights() == 0; }));
}

TEST_CASE("72 who ask for the same factors are one computation") {
  FactorsFixture f;
  for (int i = 0; i < 72; ++i)
    f.ask(factors("10000")).leave_when_told = i % 3 == 0;
  f.stored(f.primes(terms_of({"[2,1]"})));
  auto& work = f.wait_for_work();
  CHECK(f.store.loads == 1);
  CHECK(work.count == 3);
  CHECK(work.within == Duration(10'000));
  CHECK(work.job.id == kPrimes);
  CHECK(*work.job.terms == terms_of({"2", "3", "5"}));
  CHECK(*work.job.stored == terms_of({"[2,1]"}));
  f.factored(work, {"[2,1]", "[3,1]", "[5,1]"});
  REQUIRE(f.until([&] { return f.service.flights() == 0; }));
  CHECK(f.factoring.requests == 1);
  for (const auto& waiter : f.waiters) {
    CHECK(waiter.told == 1);
    CHECK(waiter.complete());
  }
  CHECK(f.find(factors()));
}

TEST_CASE("who wants less does not wait for who wants more") {
  FactorsFixture f;
  auto& all = f.ask(factors());
  f.stored(f.primes());
  f.wait_for_work();
  auto& one = f.ask(factors("1"));
  auto& work = f.wait_for_work(2);
  CHECK(work.count == 1);
  f.factored(work, {"[2,1]", "no_fac_yet", "no_fac_yet"});
  REQUIRE(f.told(one));
  CHECK(one.complete());
  CHECK(all.told == 0);
  f.factored(f.wait_for_work(), {"[2,1]", "[3,1]", "[5,1]"});
  REQUIRE(f.told(all));
  CHECK(all.complete());
}

TEST_CASE("what is not done in time is answered as not known yet, and nobody keeps that") {
  FactorsFixture f;
  auto& waiter = f.ask(factors());
  f.world.run_for(Duration(3000));
  f.stored(f.primes());
  auto& work = f.wait_for_work();
  CHECK(work.within <= Duration(7000));
  f.factored(work, {"[2,1]", "no_fac_yet", "[5,1]"});
  REQUIRE(f.told(waiter));
  CHECK(waiter.body() == R"({"factors":{"1":"[2,1]","2":"no_fac_yet","3":"[5,1]"},"id":"A000040",)"
                         R"("name":"The prime numbers."})"
                         "\n");
  CHECK(waiter.header("Cache-Control") == "no-store");
  CHECK(!f.find(factors()));  // the next one works on
  CHECK(f.find(factors("1")));
  CHECK(f.service.flights() == 0);
}

TEST_CASE("after a wait in vain the same is answered at once for a while, more is waited for") {
  FactorsFixture f;
  auto& waiter = f.ask(factors("2"));
  f.stored(f.primes());
  f.factored(f.wait_for_work(), {"[2,1]", "no_fac_yet", "no_fac_yet"});
  REQUIRE(f.told(waiter));
  for (int i = 0; i < 80; ++i) {
    auto& again = f.ask(factors("2"));
    REQUIRE(f.told(again));
    CHECK(again.body() == waiter.body());
    CHECK(again.header("Cache-Control") == "no-store");
  }
  CHECK(f.factoring.requests == 1);
  auto& more = f.ask(factors("3"));
  f.stored(f.primes());
  f.factored(f.wait_for_work(), {"[2,1]", "[3,1]", "no_fac_yet"});
  REQUIRE(f.told(more));
  CHECK(f.factoring.requests == 2);
  f.world.run_for(Duration(10'000));
  f.ask(factors("3"));
  f.stored(f.primes());
  f.wait_for_work();
  CHECK(f.factoring.requests == 3);
}

TEST_CASE("results of the background are stored, and answered from then on") {
  FactorsFixture f;
  auto& waiter = f.ask(factors());
  f.stored(f.primes());
  auto& work = f.wait_for_work();
  const auto terms = work.job.terms;
  f.factored(work, {"[2,1]", "no_fac_yet", "no_fac_yet"});
  REQUIRE(f.told(waiter));
  const auto done = std::make_shared<const Terms>(terms_of({"[2,1]", "[3,1]", "[5,1]"}));
  SECTION("of these terms") {
    f.loop.turn([&] { f.service.on_factored(kPrimes, terms, done); });
    REQUIRE(f.until([&] { return f.find(factors()).has_value(); }));
    CHECK(f.factoring.requests == 1);
  }
  SECTION("of other terms: the b-file has changed") {
    const auto others = std::make_shared<const Terms>(terms_of({"2", "3", "7"}));
    f.loop.turn([&] { f.service.on_factored(kPrimes, others, done); });
    f.world.run_for(Duration(100));
    CHECK(!f.find(factors()));
  }
  REQUIRE(f.store.saved_factors.size() == 1);
  CHECK(f.store.saved_factors[0].id == kPrimes);
  CHECK(f.store.saved_factors[0].factors == done);
}

TEST_CASE("terms that are not stored are fetched first, for all who ask for them") {
  FactorsFixture f;
  auto& waiter = f.ask(factors());
  f.stored(StoredSequence{});
  auto& terms = f.ask(named());
  f.stored(StoredSequence{});
  f.bfile(kPrimesFile);
  f.factored(f.wait_for_work(), {"[2,1]", "[3,1]", "[5,1]"});
  REQUIRE(f.told(waiter));
  CHECK(f.oeis.fetches == 1);
  CHECK(waiter.entries("factors") == 3);
  CHECK(!waiter.complete());  // the name is not there yet
  f.record(kPrimesRecord);
  REQUIRE(f.told(terms));
  CHECK(!f.find(factors()));  // with the name it will be complete
}

TEST_CASE("without terms there are no factors") {
  FactorsFixture f;
  auto& waiter = f.ask(factors());
  f.stored(StoredSequence{});
  SECTION("OEIS has none") {
    f.stored(StoredSequence{});
    f.bfile(kMissing);
    REQUIRE(f.told(waiter));
    CHECK(waiter.refusal() == kMissing.text);
  }
  SECTION("the database goes away") {
    f.stored(make_error(ErrorKind::Unavailable, Origin::Internal, "refused"));
    REQUIRE(f.told(waiter));
    CHECK(waiter.unavailable());
  }
  SECTION("the configuration changes") {
    f.use(false);
    REQUIRE(f.told(waiter));
    CHECK(waiter.unavailable());
  }
  CHECK(f.until([&] { return f.service.flights() == 0; }));
}

TEST_CASE("without anybody who factors, what is not stored stays unknown") {
  ServiceFixture f;
  auto& waiter = f.ask(factors());
  f.stored(row("The prime numbers.", {"2", "3"}));
  REQUIRE(f.told(waiter));
  CHECK(waiter.body().find(R"({"1":"no_fac_yet","2":"no_fac_yet"})") != std::string::npos);
  CHECK(!waiter.complete());
}

TEST_CASE("who waits for factors is told after eleven seconds in any case") {
  FactorsFixture f;
  auto& waiter = f.ask(factors());
  f.stored(f.primes());
  f.wait_for_work();
  f.world.run_for(Duration(10'900));
  CHECK(waiter.told == 0);
  f.world.run_for(Duration(200));
  REQUIRE(waiter.told == 1);
  CHECK(waiter.unavailable());
}

}  // namespace
}  // namespace gatescope::api
