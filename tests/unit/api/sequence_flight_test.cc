// How a sequence is obtained: from the store, OEIS, oeisdata.

#include "tests/unit/api/service_fixture.h"

namespace gatescope::api {
namespace {

constexpr const char* kEntry =
    "%I A000040\n%S A000040 2,3,5\n%N A000040 The prime numbers.\n%O A000040 1,1\n";

TEST_CASE("what is stored is answered without OEIS, and then from memory") {
  ServiceFixture f;
  CHECK(!f.find());
  auto& waiter = f.ask(named());
  f.stored(row("The prime numbers.", {"2", "3"}));
  REQUIRE(f.told(waiter));
  REQUIRE(waiter.form());
  CHECK(waiter.complete());
  CHECK(f.find(named()));
  CHECK(f.oeis.fetches == 0);
  CHECK(f.store.saved.empty());
  CHECK(f.until([&] { return f.service.flights() == 0; }));
}

TEST_CASE(
    "terms are answered with a placeholder, the name follows, it is never handed out as one") {
  ServiceFixture f;
  auto& terms = f.ask();
  auto& name = f.ask(named());
  f.stored(StoredSequence{});
  f.bfile(kPrimesFile);
  REQUIRE(f.told(terms));
  CHECK(!terms.complete());
  CHECK(name.told == 0);
  CHECK(f.find());
  CHECK(!f.find(named()));
  f.record(kPrimesRecord);
  REQUIRE(f.told(name));
  CHECK(name.complete());
  CHECK(f.find(named()));
}

TEST_CASE("a name that OEIS does not tell is a refusal for those who need it") {
  ServiceFixture f;
  auto& name = f.ask(named());
  f.stored(row(std::nullopt, {"2"}));
  SECTION("it fails") {
    f.record(kSilent);
    REQUIRE(f.told(name));
    CHECK(name.refusal() == kSilent.text);
  }
  SECTION("it says something else") {
    f.record("null");
    REQUIRE(f.told(name));
    CHECK(name.refusal() == "Error: The name of ID 'A000040' is not known.");
  }
  CHECK(f.store.saved.empty());
  CHECK(f.store.saved_names.empty());
}

TEST_CASE("a failure leaves nothing behind: the next one asks again") {
  ServiceFixture f;
  auto& first = f.ask();
  f.stored(StoredSequence{});
  SECTION("silent") {
    f.bfile(kSilent);
  }
  SECTION("nonsense") {
    f.bfile("this is not a term\n");
  }
  REQUIRE(f.told(first));
  CHECK(first.refusal().starts_with("Error: "));
  CHECK(!f.find());
  CHECK(f.service.flights() == 0);
  auto& second = f.ask();
  f.stored(StoredSequence{});
  f.bfile(kPrimesFile);
  REQUIRE(f.told(second));
  CHECK(second.form());
  CHECK(f.store.saved.size() == 1);
}

TEST_CASE("what OEIS has not is not asked for again for a day, and never stored") {
  ServiceFixture f;
  auto& first = f.ask();
  f.stored(StoredSequence{});
  f.bfile(kMissing);
  REQUIRE(f.told(first));
  CHECK(first.refusal() == kMissing.text);
  const auto known = f.find();
  REQUIRE(known);
  CHECK(std::get<Refusal>(*known).text == kMissing.text);
  CHECK(f.store.saved.empty());
  f.world.run_for(std::chrono::hours(25));
  CHECK(!f.find());
}

TEST_CASE(
    "oeisdata gives the name, and first terms while OEIS is away or off, never stored as values") {
  ServiceFixture f;
  f.local(
      "%I A000040\n%S A000040 2,3,\n%T A000040 5,7\n%N A000040 The prime numbers.\n%O A000040 "
      "1,1\n");
  bool off = false;
  SECTION("silent") {}
  SECTION("off") {
    off = true;
  }
  f.use(!off, true);
  auto& waiter = f.ask(named());
  f.stored(StoredSequence{});
  if (!off) f.bfile(kSilent);
  REQUIRE(f.told(waiter));
  REQUIRE(waiter.form());
  CHECK(waiter.header("X-Sequence-Source") == "oeisdata");
  CHECK(waiter.entries() == 4);
  CHECK(!waiter.complete());
  CHECK(f.store.saved.empty());
  CHECK(f.store.saved_names.empty());
  CHECK(f.find(named()));
  f.world.run_for(std::chrono::minutes(2));
  CHECK(!f.find());  // provisional: OEIS is asked again
}

TEST_CASE("first terms without a b-file: OEIS is not asked for it again for a day") {
  ServiceFixture f;
  f.local("%I A000040\n%S A000040 2,3,5,7\n%N A000040 The prime numbers.\n%O A000040 1,1\n");
  f.use(true, true);
  auto& first = f.ask(named());
  f.stored(StoredSequence{});
  f.bfile(kMissing);
  REQUIRE(f.told(first));
  CHECK(first.header("X-Sequence-Source") == "oeisdata");
  f.world.run_for(std::chrono::minutes(2));
  CHECK(!f.find());
  auto& second = f.ask(named());
  f.stored(StoredSequence{});
  REQUIRE(f.told(second));  // nobody answered for OEIS
  CHECK(second.entries() == 4);
  f.world.run_for(std::chrono::hours(25));
  auto& third = f.ask(named());
  f.stored(StoredSequence{});
  f.bfile(kMissing);
  REQUIRE(f.told(third));
}

TEST_CASE("an entry of the tree is stored once, and again only when its file changes") {
  ServiceFixture f;
  f.local(kEntry);
  f.use(false, true);
  const auto answer = [&] {
    auto& waiter = f.ask(named());
    f.stored(StoredSequence{});
    REQUIRE(f.told(waiter));
    REQUIRE(waiter.form());
    const auto terms = waiter.entries();
    f.world.run_for(std::chrono::minutes(2));  // no longer in memory
    return terms;
  };
  const auto stored = [&] { return f.counter("api_entries_stored"); };
  CHECK(answer() == 3);
  CHECK(answer() == 3);
  CHECK(f.store.entry_saves == 1);
  CHECK(stored() == 1);
  f.local("%I A000040\n%S A000040 2,3,5,7\n%N A000040 The prime numbers.\n%O A000040 1,1\n");
  CHECK(answer() == 4);
  CHECK(stored() == 2);
  f.local("%I A000041\n");  // nonsense: what is stored stays
  CHECK(answer() == 4);
  CHECK(f.log.has("speaks of another sequence"));
  std::filesystem::remove_all(f.folder / "seq");
  CHECK(answer() == 4);
  f.use(false, false);  // nor is a tree needed
  CHECK(answer() == 4);
  CHECK(f.store.entry_saves == 2);
}

TEST_CASE("an entry is answered as the database has it, not as it was parsed") {
  ServiceFixture f;
  f.local(kEntry);
  f.use(false, true);
  auto& waiter = f.ask(named());
  f.stored(StoredSequence{});
  REQUIRE(f.until([&] { return f.store.entry_saves == 1; }));
  f.store.entries.at(kPrimes).terms.add("7");  // another gatescope was faster
  REQUIRE(f.told(waiter));
  REQUIRE(waiter.form());
  CHECK(waiter.entries() == 4);
}

TEST_CASE("an entry that cannot be looked for or stored is 503, and nothing is kept") {
  ServiceFixture f;
  f.local(kEntry);
  f.use(false, true);
  const auto down = make_error(ErrorKind::Unavailable, Origin::Internal, "refused");
  SECTION("looked for") {
    f.store.entries_fail = down;
  }
  SECTION("stored") {
    f.store.saves_fail = down;
  }
  auto& waiter = f.ask(named());
  f.stored(StoredSequence{});
  REQUIRE(f.told(waiter));
  CHECK(waiter.unavailable());
  CHECK(!f.find());
  CHECK(f.service.flights() == 0);
  CHECK(f.counter("api_entries_stored") == 0);
  f.store.entries_fail.reset();
  f.store.saves_fail.reset();
  auto& again = f.ask(named());
  f.stored(StoredSequence{});
  REQUIRE(f.told(again));
  CHECK(again.form());
}

TEST_CASE("the b-file comes before oeisdata, whose name it gets") {
  ServiceFixture f;
  f.local("%I A000040\n%S A000040 2,3\n%N A000040 The prime numbers.\n%O A000040 1,1\n");
  f.use(true, true);
  auto& waiter = f.ask(named());
  f.stored(StoredSequence{});
  f.bfile(kPrimesFile);
  REQUIRE(f.told(waiter));
  CHECK(waiter.complete());
  REQUIRE(f.store.saved.size() == 1);
  CHECK(f.store.saved[0]->name == "The prime numbers.");
}

TEST_CASE("without OEIS and oeisdata what is not stored is refused") {
  ServiceFixture f;
  f.use(false);
  auto& waiter = f.ask();
  f.stored(StoredSequence{});
  REQUIRE(f.told(waiter));
  CHECK(waiter.refusal().starts_with("Error: Values for ID 'A000040' are not stored here"));
}

}  // namespace
}  // namespace gatescope::api
