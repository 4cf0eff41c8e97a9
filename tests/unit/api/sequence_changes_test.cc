// Several gatescopes on one database: what another one did, and who does the work.

#include "tests/unit/api/fake_claims.h"
#include "tests/unit/api/service_fixture.h"

namespace gatescope::api {
namespace {

struct ChangesFixture : ServiceFixture {
  FakeClaims claims;
  ChangesFixture() {
    more.claims = &claims;
    use(true);
  }
  ~ChangesFixture() {
    waiters.clear();
    loop.turn([&] { service.use({}); });
  }
  Claims::Kind kind() {
    REQUIRE(until([&] { return !claims.asked.empty(); }));
    return claims.asked.front()->kind;
  }
  void granted() {
    kind();
    loop.turn([&] {
      claims.asked.front()->answer(
          std::unique_ptr<Claim>(std::make_unique<FakeClaims::Held>(claims.held)));
    });
  }
  void denied() {
    kind();
    loop.turn([&] { claims.asked.front()->answer(std::unique_ptr<Claim>()); });
  }
  void changed(SequenceId id = kPrimes) {
    loop.turn([&] { service.on_changed(id); });
  }
};

TEST_CASE("a fetch is claimed, and the row is read again before: it may have come meanwhile") {
  ChangesFixture f;
  auto& waiter = f.ask();
  f.stored(StoredSequence{});
  CHECK(f.kind() == Claims::Kind::Values);
  CHECK(f.oeis.bfiles.empty());
  f.granted();
  SECTION("it has") {
    f.stored(row("The prime numbers.", {"2", "3"}));
    REQUIRE(f.told(waiter));
    CHECK(waiter.complete());
    CHECK(f.oeis.fetches == 0);
  }
  SECTION("it has not") {
    f.stored(StoredSequence{});
    CHECK(f.claims.held == 1);
    f.bfile(kPrimesFile);
    REQUIRE(f.told(waiter));
    CHECK(f.store.saved.size() == 1);
    CHECK(f.claims.held == 0);
    CHECK(f.kind() == Claims::Kind::Metadata);  // of the name
    f.granted();
    f.stored(row(std::nullopt, {"2", "3", "5"}));
    f.record(kPrimesRecord);
    CHECK(f.until([&] { return f.find(named()).has_value(); }));
  }
  CHECK(f.until([&] { return f.claims.held == 0 && f.service.flights() == 0; }));
}

TEST_CASE("what another gatescope works on is waited for") {
  ChangesFixture f;
  auto& waiter = f.ask();
  f.stored(StoredSequence{});
  f.denied();
  SECTION("until it is announced") {
    f.world.run_for(Duration(100));
    f.changed();
    f.stored(row("The prime numbers.", {"2", "3"}));
    REQUIRE(f.told(waiter));
    CHECK(waiter.complete());
  }
  SECTION("or that gatescope has died: the claim is asked for again, and granted") {
    f.world.run_for(Duration(1001));
    f.stored(StoredSequence{});
    f.granted();
    f.stored(StoredSequence{});
    f.bfile(kPrimesFile);
    REQUIRE(f.told(waiter));
    CHECK(waiter.entries() == 3);
  }
  SECTION("not for ever") {
    for (int second = 0; second < 10; ++second) {
      f.world.run_for(Duration(1001));
      f.stored(StoredSequence{});
      f.denied();
    }
    CHECK(f.until([&] { return f.service.flights() == 0; }));
    CHECK(waiter.told == 1);
    CHECK(waiter.unavailable());
  }
  CHECK(f.oeis.fetches <= 1);
}

TEST_CASE("the name alone is waited for too: the answer with a placeholder is there at once") {
  ChangesFixture f;
  auto& terms = f.ask();
  auto& name = f.ask(named());
  f.stored(row(std::nullopt, {"2", "3"}));
  REQUIRE(f.told(terms));
  f.denied();
  f.changed();
  f.stored(row("The prime numbers.", {"2", "3"}));
  REQUIRE(f.told(name));
  CHECK(name.complete());
  CHECK(f.oeis.records.empty());
}

TEST_CASE("claims that cannot be had are done without") {
  ChangesFixture f;
  auto& waiter = f.ask();
  f.stored(StoredSequence{});
  f.kind();
  f.loop.turn([&] {
    f.claims.asked.front()->answer(make_error(ErrorKind::Timeout, Origin::Internal, "slow"));
  });
  f.bfile(kPrimesFile);
  REQUIRE(f.told(waiter));
  CHECK(waiter.form());
}

TEST_CASE("what another gatescope stored is not answered from memory any more") {
  ServiceFixture f;
  auto& first = f.ask();
  f.stored(row("The prime numbers.", {"2", "3"}));
  REQUIRE(f.told(first));
  REQUIRE(f.find());
  f.loop.turn([&] { f.service.on_changed(SequenceId(41)); });
  CHECK(f.find());
  f.loop.turn([&] { f.service.on_changed(kPrimes); });
  CHECK(!f.find());
  auto& second = f.ask();
  f.stored(row("The prime numbers.", {"2", "3", "5"}));
  REQUIRE(f.told(second));
  CHECK(second.entries() == 3);
}

TEST_CASE("an id that OEIS had not may have come") {
  ServiceFixture f;
  auto& first = f.ask();
  f.stored(StoredSequence{});
  f.bfile(kMissing);
  REQUIRE(f.told(first));
  REQUIRE(f.find());
  SECTION("by another gatescope") {
    f.loop.turn([&] { f.service.on_changed(kPrimes); });
  }
  SECTION("by an import") {
    f.loop.turn([&] { f.service.on_imported(); });
  }
  CHECK(!f.find());
}

TEST_CASE("after missed changes memory is revalidated, what did not change keeps its forms") {
  ServiceFixture f;
  auto& first = f.ask();
  f.stored(row("The prime numbers.", {"2", "3"}));
  REQUIRE(f.told(first));
  f.loop.turn([&] { f.service.on_changes_missed(); });
  CHECK(!f.find());
  auto& second = f.ask();
  SECTION("the same") {
    f.stored(row("The prime numbers.", {"2", "3"}));
    REQUIRE(f.told(second));
    CHECK(second.form() == first.form());
    CHECK(f.find());
  }
  SECTION("the database is away again: rather old than nothing") {
    f.stored(make_error(ErrorKind::Unavailable, Origin::Internal, "refused"));
    REQUIRE(f.told(second));
    CHECK(second.form() == first.form());
    CHECK(!f.find());
  }
  SECTION("it does not answer") {
    f.world.run_for(Duration(5001));
    REQUIRE(second.told == 1);
    CHECK(second.form() == first.form());
  }
}

}  // namespace
}  // namespace gatescope::api
