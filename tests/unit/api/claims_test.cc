#include <atomic>
#include <thread>

#include "api/instance_id.h"
#include "api/pg_claims.h"
#include "tests/unit/api/pg_fixture.h"

namespace gatescope::api {
namespace {

using Kind = Claims::Kind;

/// Two gatescopes on one database.
struct ClaimsFixture : PgFixture {
  struct Instance {
    std::unique_ptr<PgLane> lane;
    std::unique_ptr<PgClaims> claims;
  };
  Instance a, b;

  ClaimsFixture() {
    start();
    open_store();
    for (Instance* one : {&a, &b}) {
      // A database has one user: each instance has its own.
      one->lane = std::make_unique<PgLane>(*loop, log, given, 2, nullptr);
      one->claims = std::make_unique<PgClaims>(*loop, *one->lane, make_instance_id());
    }
  }
  ~ClaimsFixture() {
    for (Instance* one : {&a, &b}) {
      one->claims.reset();
      one->lane.reset();
    }
  }
  GivenDatabase given{postgres->connection_string()};

  /// Null: refused.
  std::unique_ptr<Claim> claim(Instance& instance, unsigned number, Kind kind) {
    std::optional<Result<std::unique_ptr<Claim>>> result;
    const auto job = instance.claims->claim(SequenceId(number), kind,
                                            [&](auto r) { result.emplace(std::move(r)); });
    CHECK(!result);
    if (!until([&] { return result.has_value(); })) FAIL("no answer");
    if (!*result) FAIL(result->error().detail);
    return std::move(**result);
  }
  std::string rows() { return sql("SELECT count(*) FROM gatescope.claim"); }
  /// As if the owner had not been heard of for so long.
  void age(const std::string& seconds) {
    sql("UPDATE gatescope.claim SET until = until - interval '" + seconds + " seconds'");
  }
};

TEST_CASE("what one gatescope works on, another does not get, then it does") {
  ClaimsFixture f;
  auto held = f.claim(f.a, 40, Kind::Values);
  REQUIRE(held);
  CHECK(!f.claim(f.b, 40, Kind::Values));
  CHECK(f.claim(f.b, 40, Kind::Factors));  // other work on the same, and given back at once
  CHECK(f.claim(f.b, 41, Kind::Values));
  held.reset();
  CHECK(f.until([&] { return f.claim(f.b, 40, Kind::Values) != nullptr; }));
  CHECK(f.until([&] { return f.rows() == "0"; }));
}

TEST_CASE("a claim is given back behind what was to be stored before") {
  ClaimsFixture f;
  auto held = f.claim(f.a, 40, Kind::Values);
  REQUIRE(held);
  // A row that somebody else locks: the save has to wait for it.
  CHECK(f.sql("INSERT INTO sequences(id) VALUES ('A000040')") == "");
  auto locked = std::make_shared<std::atomic<bool>>(false);
  auto go = std::make_shared<std::atomic<bool>>(false);
  bool unlocked = false;
  const auto locker = f.lane->run(
      [locked, go](PgSession& session) -> Result<void> {
        pqxx::work t(session.connection());
        t.exec("SELECT 1 FROM sequences WHERE id = 'A000040' FOR UPDATE");
        *locked = true;
        while (!*go)
          std::this_thread::yield();
        return {};
      },
      Duration(60'000), [&](Result<void>) { unlocked = true; });
  REQUIRE(f.until([&] { return locked->load(); }));
  PgStore store(*f.a.lane, f.log);
  auto sequence = std::make_shared<Sequence>(Sequence{.id = SequenceId(40), .name = "x"});
  sequence->terms.add("2");
  store.save(sequence);
  held.reset();
  CHECK(!f.claim(f.b, 40, Kind::Values));
  CHECK(f.rows() == "1");
  *go = true;
  REQUIRE(f.until([&] { return unlocked; }));
  REQUIRE(f.until([&] { return f.claim(f.b, 40, Kind::Values) != nullptr; }));
  CHECK(f.sql("SELECT \"values\"::text FROM sequences") == "{2}");
}

TEST_CASE("the work of a gatescope that is not heard of any more is taken over") {
  ClaimsFixture f;
  auto held = f.claim(f.a, 40, Kind::Values);
  REQUIRE(held);
  f.age("30");
  auto taken = f.claim(f.b, 40, Kind::Values);
  REQUIRE(taken);
  // The first one comes back to life: what it gives back is not the other's.
  held.reset();
  bool flushed = false;
  f.a.lane->flush(Duration(60'000), [&] { flushed = true; });
  REQUIRE(f.until([&] { return flushed; }));
  CHECK(!f.claim(f.a, 40, Kind::Values));
  CHECK(f.rows() == "1");
}

TEST_CASE("a claim is extended as long as it is held, and again when the server lost it") {
  ClaimsFixture f;
  const auto held = f.claim(f.a, 40, Kind::Factors);
  REQUIRE(held);
  const auto until_when = [&] { return f.sql("SELECT max(until) FROM gatescope.claim"); };
  const std::string first = until_when();
  CHECK(f.until([&] { return until_when() > first; }));
  CHECK(f.sql("TRUNCATE gatescope.claim") == "");
  CHECK(f.until([&] { return f.rows() == "1"; }));
  CHECK(!f.claim(f.b, 40, Kind::Factors));
}

TEST_CASE("who asks no more gets no claim, one who asks again at once gets it") {
  ClaimsFixture f;
  bool told = false;
  auto job = f.a.claims->claim(SequenceId(40), Kind::Values, [&](auto) { told = true; });
  job.reset();
  CHECK(f.until([&] { return f.claim(f.b, 40, Kind::Values) != nullptr; }));
  for (int i = 0; i < 5; ++i)
    CHECK(f.until([&] { return f.claim(f.a, 40, Kind::Values) != nullptr; }));
  CHECK(!told);
  CHECK(f.a.claims->held() == 0);
}

}  // namespace
}  // namespace gatescope::api
