// Who waits, for how long, and for how many.

#include "tests/unit/api/service_fixture.h"

namespace gatescope::api {
namespace {

TEST_CASE("72 who ask at the same time are one fetch") {
  ServiceFixture f;
  for (int i = 0; i < 72; ++i)
    f.ask(i % 2 ? values() : named()).leave_when_told = i % 3 == 0;
  f.stored(StoredSequence{});
  CHECK(f.store.loads == 1);
  f.waiters.pop_back();  // one leaves
  f.bfile(kPrimesFile);
  f.record(kPrimesRecord);
  REQUIRE(f.until([&] { return f.service.flights() == 0; }));
  CHECK(f.oeis.fetches == 1);
  CHECK(f.store.loads == 1);
  REQUIRE(f.store.saved.size() == 1);
  CHECK(f.store.saved[0]->terms.size() == 3);
  CHECK(f.store.saved_names == std::vector<std::string>{"The prime numbers."});
  for (const auto& waiter : f.waiters) {
    CHECK(waiter.told == 1);
    CHECK(waiter.form());
  }
}

TEST_CASE(
    "with the database down, what is in memory is answered, all else is 503, until it is back") {
  ServiceFixture f;
  const auto down = make_error(ErrorKind::Unavailable, Origin::Internal, "refused");
  auto& cached = f.ask();
  f.stored(row("The prime numbers.", {"2"}));
  REQUIRE(f.told(cached));
  auto& other = f.ask(values(SequenceId(41)));
  f.stored(down);
  REQUIRE(f.told(other));
  CHECK(other.unavailable());
  CHECK(f.find());
  CHECK(f.oeis.fetches == 0);
  auto& again = f.ask(values(SequenceId(41)));
  f.stored(row("Partitions.", {"1"}));
  REQUIRE(f.told(again));
  CHECK(again.form());
}

TEST_CASE("who waits is told at his deadline, the work goes on for the next") {
  ServiceFixture f;
  auto& waiter = f.ask();
  f.stored(StoredSequence{});
  f.world.run_for(Duration(4999));
  CHECK(waiter.told == 0);
  f.world.run_for(Duration(2));
  REQUIRE(waiter.told == 1);
  CHECK(waiter.unavailable());
  f.bfile(kPrimesFile);
  REQUIRE(f.until([&] { return f.find().has_value(); }));
  CHECK(f.store.saved.size() == 1);
}

TEST_CASE("a new configuration sends the waiting away and keeps what is in memory") {
  ServiceFixture f;
  auto& cached = f.ask();
  f.stored(row("The prime numbers.", {"2"}));
  REQUIRE(f.told(cached));
  auto& waiter = f.ask(values(SequenceId(41)));
  f.use(true);
  REQUIRE(waiter.told == 1);
  CHECK(waiter.unavailable());
  CHECK(f.find());
}

TEST_CASE("only so many sequences are obtained at the same time") {
  ServiceFixture f({.max_flights = 2});
  f.ask(values(SequenceId(1)));
  f.ask(values(SequenceId(2)));
  auto& third = f.ask(values(SequenceId(3)));
  auto& joins = f.ask(values(SequenceId(2)));
  REQUIRE(f.told(third));
  CHECK(third.unavailable());
  CHECK(joins.told == 0);
}

TEST_CASE("one client waits for so many sequences only, other clients and memory do not mind") {
  ServiceFixture f({.max_of_client = 2});
  const auto ask = [&](unsigned number, const std::string& client) -> ServiceWaiter& {
    return f.ask(values(SequenceId(number)), client);
  };
  const auto too_many = [&](ServiceWaiter& waiter) {
    f.world.run_for(Duration(1));
    return waiter.told == 1 && std::holds_alternative<TooMany>(*waiter.answer);
  };
  auto& first = ask(1, "192.0.2.1");
  auto& again = ask(1, "192.0.2.1");
  ask(2, "192.0.2.1");
  CHECK(too_many(ask(3, "192.0.2.1")));
  CHECK(f.service.flights() == 2);  // nothing was begun for it
  CHECK(!too_many(ask(3, "192.0.2.2")));
  CHECK(too_many(ask(3, "192.0.2.1")));  // though another one has begun it
  CHECK(!too_many(ask(4, "")));
  CHECK(f.counter("api_clients_limited") == 2);
  SECTION("both answers of a sequence give one place back") {
    f.stored(row("One.", {"1"}));
    REQUIRE(f.until([&] { return first.told == 1 && again.told == 1; }));
  }
  SECTION("leaving gives it back when the last one has gone") {
    first.request.reset();
    CHECK(too_many(ask(5, "192.0.2.1")));
    again.request.reset();
  }
  SECTION("so does the deadline") {
    f.world.run_for(Duration(5001));
    CHECK(first.unavailable());
    CHECK(!too_many(ask(6, "192.0.2.1")));
  }
  CHECK(!too_many(ask(5, "192.0.2.1")));
}

}  // namespace
}  // namespace gatescope::api
