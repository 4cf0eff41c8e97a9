// A PostgreSQL that is not ours, and what can happen to it: stopped, killed, out of connections,
// locked by somebody.

#include <signal.h>

#include "api/pg_connection.h"
#include "tests/unit/api/loss_fixture.h"
#include "tests/unit/api/pg_cluster.h"

namespace gatescope::api {
namespace {

struct ClusterFolder {
  OpenFolder folder;
  PgCluster cluster{folder / "pg"};
  ClusterFolder() {
    cluster.init();
    cluster.start({"max_connections=8", "superuser_reserved_connections=0"});
    REQUIRE(cluster.running());
  }
  std::string where() const { return cluster.connection("postgres"); }
  std::unique_ptr<pqxx::connection> connect() const {
    auto connection = open_connection(where());
    if (!connection) FAIL(connection.error().detail);
    return std::move(*connection);
  }
};

struct ChaosFixture : ClusterFolder, LossFixture {
  ChaosFixture() : LossFixture("database \"" + where() + "\";") {}
};

std::string one(pqxx::connection& connection, const std::string& query) {
  pqxx::nontransaction t(connection);
  const auto rows = t.exec(query);
  return rows.empty() || rows[0].empty() ? "" : rows[0][0].c_str();
}

TEST_CASE("a database that stops, or is killed, while requests run, and is started again") {
  ChaosFixture f;
  const int how = GENERATE(SIGINT, SIGKILL);
  auto asked = f.ask(kFirst, kLast);
  REQUIRE(f.until([&] { return LossFixture::ended(asked) >= 5; }));
  // What was answered was stored before: read from the database, not from the tree, afterwards
  std::vector<unsigned> answered;
  for (unsigned n = kFirst; n <= kLast; ++n)
    if (asked[n - kFirst]->writer.status_code == 200) answered.push_back(n);
  f.cluster.stop(how);
  f.check_memory();
  f.check_in_order(asked, kFirst);
  const auto meanwhile = f.ask(kLast + 1, kLast + 1);
  f.check_in_order(meanwhile, kLast + 1);
  f.cluster.start();
  REQUIRE(f.cluster.running());
  const auto connection = f.connect();
  for (const unsigned n : answered) {
    CHECK(one(*connection,
              "SELECT count(*) FROM gatescope.entry WHERE number = " + std::to_string(n)) == "1");
  }
  f.check_recovered();
  CHECK(one(*connection, "SELECT count(*) FROM gatescope.claim") == "0");
}

TEST_CASE("a database without a connection to spare: 503, and all is well when there is one") {
  ChaosFixture f;
  auto first = f.connect();
  std::vector<std::unique_ptr<pqxx::connection>> all;
  // Ours are ended and somebody else has theirs at once
  CHECK(f.until([&] {
    one(*first,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
        "backend_type = 'client backend' AND pid <> pg_backend_pid() AND pid NOT IN "
        "(SELECT pid FROM pg_locks WHERE locktype = 'advisory')");
    for (;;) {
      auto more = open_connection(f.where());
      if (!more) break;
      one(**more, "SELECT pg_advisory_lock_shared(1)");
      all.push_back(std::move(*more));
    }
    return all.size() == 7;
  }));
  const auto asked = f.ask(kFirst, kFirst + 3);
  f.check_memory();
  f.check_in_order(asked, kFirst);
  for (const auto& one_of_them : asked)
    LossFixture::check_come_again(*one_of_them);
  all.clear();
  f.check_recovered();
}

TEST_CASE(
    "a database that is slow because somebody locks the tables: 503 in time, no pile of waiters") {
  ChaosFixture f;
  const auto admin = f.connect();
  const auto locker = f.connect();
  std::vector<std::unique_ptr<Asked>> asked;
  {
    pqxx::work t(*locker);
    t.exec("LOCK TABLE sequences, gatescope.entry, gatescope.claim IN ACCESS EXCLUSIVE MODE");
    asked = f.ask(kFirst, kLast);
    f.check_memory();
    f.check_in_order(asked, kFirst);
    for (const auto& one_of_them : asked)
      LossFixture::check_come_again(*one_of_them);
    // Whoever was given up there does not go on waiting for the lock
    CHECK(f.until([&] {
      return one(*admin,
                 "SELECT count(*) <= 3 FROM pg_stat_activity WHERE application_name = "
                 "'gatescope' AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'") == "t";
    }));
  }
  f.check_recovered();
  CHECK(one(*admin, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "0");
}

}  // namespace
}  // namespace gatescope::api
