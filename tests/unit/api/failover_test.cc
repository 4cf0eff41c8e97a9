// Two gatescopes on a primary with a streaming standby, as an administrator runs them: the primary
// stops in order, the standby is promoted, and nothing that was stored or is in memory is lost.

#include <signal.h>

#include "api/instance_id.h"
#include "api/pg_changes.h"
#include "api/pg_claims.h"
#include "api/pg_connection.h"
#include "tests/unit/api/pg_cluster.h"
#include "tests/unit/api/pg_fixture.h"

namespace gatescope::api {
namespace {

struct Heard final : ChangeEvents {
  std::vector<unsigned> changed;
  int missed = 0;
  void on_changed(SequenceId id) override { changed.push_back(id.number()); }
  void on_imported() override {}
  void on_changes_missed() override { ++missed; }
};

/// What of a gatescope works with the database.
struct Instance {
  Instance(net::Loop& loop, Log& log, const std::string& where)
      : database(where),
        lane(loop, log, database, 2, nullptr),
        store(lane, log, name),
        claims(loop, lane, name),
        changes(loop, log, database, name, nullptr) {
    changes.set_events(&heard);
  }
  const std::string name = make_instance_id();
  GivenDatabase database;
  PgLane lane;
  PgStore store;
  PgClaims claims;
  Heard heard;
  PgChanges changes;
};

struct FailoverFixture : RealLoop {
  OpenFolder folder;
  PgCluster primary{folder / "a"}, standby{folder / "b"};
  std::unique_ptr<Instance> one, two;

  FailoverFixture() {
    primary.init();
    primary.start();
    standby.init_as_standby_of(primary);
    standby.start();
    REQUIRE(primary.running());
    REQUIRE(standby.running());
  }
  ~FailoverFixture() {
    one.reset();
    two.reset();
  }
  /// libpq's string with both hosts; `more`: parameters.
  std::string both(const std::string& more = "") const {
    return "host=" + standby.socket_folder() + "," + primary.socket_folder() +
           " dbname=postgres user=postgres" + more;
  }
  void open(const std::string& where) {
    one = std::make_unique<Instance>(*loop, log, where);
    two = std::make_unique<Instance>(*loop, log, where);
    REQUIRE(until([&] { return one->heard.missed == 1 && two->heard.missed == 1; }));
  }
  Result<StoredSequence> load(Instance& instance, unsigned number) {
    std::optional<Result<StoredSequence>> result;
    const auto job = instance.store.load(SequenceId(number), Duration(4000),
                                         [&](auto r) { result.emplace(std::move(r)); });
    if (!until([&] { return result.has_value(); })) FAIL("no answer from the store");
    return std::move(*result);
  }
  bool has(Instance& instance, unsigned number) {
    const auto stored = load(instance, number);
    return stored && stored->terms && joined(*stored->terms) == std::to_string(number);
  }
  static void save(Instance& instance, unsigned number) {
    auto sequence = std::make_shared<Sequence>(Sequence{.id = SequenceId(number), .name = "x"});
    sequence->terms.add(std::to_string(number));
    instance.store.save(std::move(sequence));
  }
  void flush(Instance& instance) {
    bool flushed = false;
    instance.lane.flush(Duration(60'000), [&] { flushed = true; });
    REQUIRE(until([&] { return flushed; }));
  }
};

TEST_CASE(
    "a failover in order loses no stored row, and both gatescopes go on with the new primary") {
  FailoverFixture f;
  f.open(f.both(" target_session_attrs=read-write"));
  std::optional<Result<std::unique_ptr<Claim>>> claim;
  const auto job = f.one->claims.claim(SequenceId(7), Claims::Kind::Factors,
                                       [&](auto r) { claim.emplace(std::move(r)); });
  for (unsigned n = 1; n <= 30; ++n)
    f.save(n % 2 == 0 ? *f.one : *f.two, n);
  f.flush(*f.one);
  f.flush(*f.two);
  REQUIRE(f.until([&] { return f.one->heard.changed.size() == 15; }));
  REQUIRE(f.until([&] { return f.two->heard.changed.size() == 15 && claim; }));
  REQUIRE(claim->ok());
  REQUIRE(**claim);

  f.primary.stop(SIGINT);
  CHECK(!f.load(*f.one, 1));  // the standby may not be written to: neither is asked
  for (unsigned n = 31; n <= 40; ++n)
    f.save(*f.one, n);  // wait for a server
  f.standby.promote();
  for (unsigned n = 1; n <= 30; ++n) {
    INFO(n);
    CHECK(f.until([&] { return f.load(*f.one, n).ok(); }));
    CHECK(f.has(*f.one, n));
    CHECK(f.until([&] { return f.load(*f.two, n).ok(); }));
    CHECK(f.has(*f.two, n));
  }
  f.flush(*f.one);
  for (unsigned n = 31; n <= 40; ++n)
    CHECK(f.has(*f.two, n));
  INFO(f.log.text());
  CHECK(!f.log.has("error: "));  // as a change that could not be stored would be
  // They hear of each other again, and the claim is there again
  REQUIRE(f.until([&] { return f.one->heard.missed == 2 && f.two->heard.missed == 2; }));
  f.one->heard.changed.clear();
  f.save(*f.two, 50);
  CHECK(f.until([&] { return f.one->heard.changed == std::vector<unsigned>{50}; }));
  auto admin = open_connection(f.standby.connection("postgres"));
  REQUIRE(admin);
  CHECK(f.until([&] {
    pqxx::nontransaction t(**admin);
    return t.exec("SELECT count(*) FROM gatescope.claim")[0][0].as<int>() == 1;
  }));
  std::optional<Result<std::unique_ptr<Claim>>> other;
  const auto again = f.two->claims.claim(SequenceId(7), Claims::Kind::Factors,
                                         [&](auto r) { other.emplace(std::move(r)); });
  REQUIRE(f.until([&] { return other.has_value(); }));
  REQUIRE(other->ok());
  CHECK(**other == nullptr);
  claim.reset();
}

TEST_CASE("a standby is never written to, whatever the connection string forgot to say") {
  FailoverFixture f;
  f.open(f.both());  // the standby first, and no target_session_attrs
  f.save(*f.one, 1);
  f.flush(*f.one);
  CHECK(f.has(*f.two, 1));
  // What a switchover does to connections that stay open
  CHECK(f.log.text() == "");
  auto admin = open_connection(f.primary.connection("postgres"));
  REQUIRE(admin);
  {
    pqxx::nontransaction t(**admin);
    t.exec("ALTER SYSTEM SET default_transaction_read_only = on");
    t.exec("SELECT pg_reload_conf()");
  }
  f.save(*f.one, 2);
  f.standby.promote();
  f.flush(*f.one);
  CHECK(f.has(*f.one, 2));
  pqxx::nontransaction t(**admin);
  CHECK(t.exec("SELECT count(*) FROM sequences WHERE id = 'A000002'")[0][0].as<int>() == 0);
}

TEST_CASE("only a standby can be reached: that is said") {
  FailoverFixture f;
  const auto opened = open_connection(f.standby.connection("postgres"));
  REQUIRE(!opened);
  CHECK(opened.error().kind == ErrorKind::Unavailable);
  CHECK(opened.error().detail.find("read-only") != std::string::npos);
  CHECK(open_connection(f.standby.connection("postgres"), Access::Any));
}

}  // namespace
}  // namespace gatescope::api
