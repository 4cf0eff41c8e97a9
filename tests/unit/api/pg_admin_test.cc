#include "api/pg_admin.h"

#include <fstream>

#include "api/command_database.h"
#include "api/pg_changes.h"
#include "api/pg_schema.h"
#include "tests/unit/api/pg_fixture.h"
#include "tests/unit/conf/map_reader.h"

namespace gatescope::api {
namespace {

std::int64_t rows_of(const DatabaseStatus& status, const std::string& table) {
  for (const auto& one : status.tables)
    if (one.name == table) return one.rows;
  return -1;
}

struct AdminFixture : PgFixture {
  AdminFixture() { start(); }
  std::string where() const { return postgres->connection_string(); }
  DatabaseStatus status() {
    auto status = database_status(where());
    if (!status) FAIL(status.error().detail);
    return *status;
  }
  void fill() {
    CHECK(sql("INSERT INTO sequences (id, values_requested, \"values\") VALUES "
              "('A000001', true, NULL), ('A000002', true, '{}'), ('A000003', true, '{1}'), "
              "('A000004', false, NULL); INSERT INTO searches (term) VALUES ('x'); "
              "INSERT INTO gatescope.claim VALUES (1, 0, 'x', 1, now() - interval '1 hour'), "
              "(2, 0, 'x', 2, now() + interval '1 hour')") == "");
  }
};

TEST_CASE("db status of nothing yet, and of everything") {
  AdminFixture f;
  auto status = f.status();
  CHECK(status.schema_version == 0);
  CHECK(status.tables.empty());
  CHECK(status.encoding == "UTF8");
  REQUIRE(init_database(f.where()));
  REQUIRE(init_database(f.where()));  // once more: nothing to do
  f.open_store();
  f.fill();
  status = f.status();
  CHECK(status.schema_version == newest_schema_version());
  CHECK(status.newest_version == newest_schema_version());
  CHECK(rows_of(status, "sequences") == 4);
  CHECK(rows_of(status, "searches") == 1);
  CHECK(rows_of(status, "gatescope.entry") == 0);
  CHECK(rows_of(status, "gatescope.version") == -1);
  CHECK(status.claims == 2);
  CHECK(status.expired_claims == 1);
  CHECK(status.stuck == 2);
  CHECK(status.connections >= 1);
  CHECK(status.max_connections == 12);
  CHECK(status.bytes > 1'000'000);
}

TEST_CASE("db clear and db reset beside a running server: it hears, and goes on") {
  AdminFixture f;
  f.open_store();
  struct : ChangeEvents {
    int imported = 0, missed = 0;
    void on_changed(SequenceId) override {}
    void on_imported() override { ++imported; }
    void on_changes_missed() override { ++missed; }
  } events;
  PgChanges changes(*f.loop, f.log, *f.postgres, "we", nullptr);
  changes.set_events(&events);
  REQUIRE(f.until([&] { return events.missed == 1; }));
  f.fill();
  CHECK(f.sql("CREATE TABLE public.alembic_version (version_num text); INSERT INTO alembic_version "
              "VALUES ('x')") == "");
  CHECK(f.load(3)->terms.has_value());
  const std::string oid = f.sql("SELECT 'sequences'::regclass::oid");
  SECTION("clear keeps the tables") {
    REQUIRE(clear_database(f.where()));
    CHECK(f.sql("SELECT 'sequences'::regclass::oid") == oid);
  }
  SECTION("clear by a role that may only delete") {
    CHECK(f.sql("CREATE ROLE scope; GRANT USAGE ON SCHEMA gatescope TO scope; GRANT SELECT, DELETE "
                "ON ALL TABLES IN SCHEMA gatescope, public TO scope") == "");
    REQUIRE(clear_database(f.where() + " options='-c role=scope'"));
  }
  SECTION("reset makes them anew") {
    REQUIRE(reset_database(f.where()));
    CHECK(f.sql("SELECT 'sequences'::regclass::oid") != oid);
  }
  CHECK(f.until([&] { return events.imported == 1; }));
  for (int i = 0; i < 4; ++i) {  // by either connection
    const auto loaded = f.load(3);
    REQUIRE(loaded);
    CHECK(!loaded->terms);
  }
  auto status = f.status();
  CHECK(status.schema_version == newest_schema_version());
  for (const auto& table : status.tables)
    CHECK(table.rows == 0);
  CHECK(f.sql("SELECT count(*) FROM alembic_version") == "1");
}

TEST_CASE("errors of the administrator's commands say what is wrong and how to mend it") {
  AdminFixture f;
  std::string where = f.where();
  where.replace(where.find("dbname=postgres"), 15, "dbname=backscope");
  auto failed = init_database(where);
  REQUIRE(!failed);
  CHECK(failed.error().detail.find("createdb -T template0 -E UTF8 backscope") != std::string::npos);
  f.open_store();
  CHECK(f.sql("CREATE ROLE scope; GRANT USAGE ON SCHEMA gatescope TO scope") == "");
  failed = reset_database(f.where() + " options='-c role=scope'");
  REQUIRE(!failed);
  CHECK(failed.error().kind == ErrorKind::Forbidden);
  CHECK(failed.error().detail.find("must be owner") != std::string::npos);
  CHECK(f.load(1));  // nothing was dropped
}

TEST_CASE("a command uses the running server's database, or starts it for itself") {
  PgFixture f;
  const auto open = [&] {
    auto opened = CommandDatabase::open({.state_folder = f.state_dir()}, f.log);
    if (!opened) FAIL(opened.error().detail);
    return std::move(*opened);
  };
  SECTION("no server: made, started and stopped") {
    auto database = open();
    REQUIRE(init_database(database->connection_string()));
    SECTION("one that starts meanwhile uses it, and takes over") {
      f.start();
      CHECK(f.postgres->state() == EmbeddedPostgres::State::Adopted);
      database.reset();
      REQUIRE(f.until([&] { return f.postgres->state() == EmbeddedPostgres::State::Ready; }));
      f.open_store();
      CHECK(f.load(1));
    }
    SECTION("none") {
      database.reset();
      CHECK(!living_postmaster(f.state_dir() + "/postgres/data"));
    }
  }
  SECTION("a server runs, and goes on afterwards") {
    f.start();
    const pid_t server = f.postgres->server_pid();
    open().reset();
    CHECK(f.postgres->server_pid() == server);
    CHECK(f.postgres->ready());
    auto database = open();
    f.stop();  // before the command is done: it goes on with one of its own
    REQUIRE(database->wait());
    CHECK(database_status(database->connection_string()));
  }
}

TEST_CASE("a command whose embedded database cannot be is told why, soon") {
  RealLoop real;
  auto opened = CommandDatabase::open({.state_folder = "/nonexistent/state"}, real.log);
  REQUIRE(!opened);
  CHECK(opened.error().detail.find("mkdir() \"/nonexistent/state\"") != std::string::npos);
}

TEST_CASE("which database a configuration means is known without loading the rest of it") {
  OpenFolder folder;
  const auto choose = [](const std::string& text) {
    auto document = conf::parse_text(text);
    if (!document) FAIL(document.error().detail);
    return choose_database(**document, "/prefix/", "/etc/");
  };
  CHECK(!choose("http { }"));
  auto choice = choose("state_dir /s; numberscope { } http { server { listen no:such; } }");
  REQUIRE(choice);
  CHECK(choice->embedded());
  CHECK(choice->state_folder == "/s");
  CHECK(choose("numberscope { }")->state_folder == "/prefix/state");
  CHECK(choose("numberscope { database host=a,b dbname=x; }")->connection == "host=a,b dbname=x");
  std::ofstream(folder / ".env") << "POSTGRES_DB=x\nAPP_ENVIRONMENT=production\n";
  choice = choose("numberscope { database env; env_file " + (folder / ".env") + "; }");
  REQUIRE(choice);
  CHECK(choice->production());
  CHECK(choice->connection.find("dbname='x'") != std::string::npos);
  CHECK(choose("numberscope { databse embedded; }").error().detail.find("unknown directive") !=
        std::string::npos);
}

}  // namespace
}  // namespace gatescope::api
