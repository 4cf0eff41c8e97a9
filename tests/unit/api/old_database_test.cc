// Databases that were there before us: made by the old service (SQLAlchemy, alembic), with what its
// years left in them; with few privileges; used by several gatescopes that start at once.

#include <thread>

#include "api/pg_connection.h"
#include "api/pg_schema.h"
#include "tests/unit/api/pg_fixture.h"

namespace gatescope::api {
namespace {

constexpr const char* kOldService = R"(
  CREATE TABLE alembic_version (version_num varchar(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
  INSERT INTO alembic_version VALUES ('c9c9d1ed1a4b');
  CREATE TABLE "user" (id serial NOT NULL, email varchar(255), PRIMARY KEY (id));
  CREATE TABLE sequences (id varchar NOT NULL, name varchar, shift integer DEFAULT 0 NOT NULL,
    "values" varchar[], values_requested boolean DEFAULT false NOT NULL, raw_refs varchar,
    backrefs varchar[], ref_count integer, meta_req_time bigint, factors varchar[],
    PRIMARY KEY (id));
  CREATE TABLE searches (term varchar NOT NULL, ids varchar[], names varchar[],
    PRIMARY KEY (term));
  INSERT INTO searches VALUES ('prime', '{A000040}', '{"The prime numbers."}'), ('x', NULL, NULL);
  INSERT INTO sequences (id, name, shift, "values", values_requested, factors, raw_refs, backrefs,
                         ref_count, meta_req_time) VALUES
    ('A000001', NULL, 0, NULL, true, NULL, NULL, NULL, NULL, NULL),
    ('A000002', 'A000002 [name not yet loaded]', 1, '{1,2}', true, '{[],"[2,1]"}', NULL, NULL,
     NULL, NULL),
    ('A000003', 'With nulls', 1, '{1,NULL,2}', true, NULL, '', '{}', 0, 1700000000),
    ('A000004', 'Empty', 1, '{}', true, '{}', NULL, NULL, NULL, 1700000000),
    ('A000005', 'Good', -2, '{5,6,7}', false, '{"[5,1]",no_fac_yet}', 'Cf. A000002.',
     '{A000001,A000040}', 2, 1700000000),
    ('A000006', '', 0, '[0:1]={7,8}', true, '{"[7,1]","[2,3]",no_fac}', NULL, NULL, NULL, NULL))";

struct OldDatabase : PgFixture {
  OldDatabase() { start(); }
  /// Before anything of ours is there.
  void make(const std::string& statements) {
    auto connection = open_connection(postgres->connection_string());
    REQUIRE(connection);
    pqxx::work t(**connection);
    t.exec(statements);
    t.commit();
    reopen();
  }
  void reopen() {
    store.reset();
    lane.reset();
    open_store();
  }
  void save(const Sequence& sequence) {
    store->save(std::make_shared<const Sequence>(sequence));
    bool flushed = false;
    lane->flush(Duration(60'000), [&] { flushed = true; });
    REQUIRE(until([&] { return flushed; }));
  }
  /// As the role: the cluster's own user may become anybody.
  std::string connection_as(const std::string& role) const {
    return postgres->connection_string() + " options='-c role=" + role + "'";
  }
  Result<void> prepare_as(const std::string& role) const {
    auto connection = open_connection(connection_as(role));
    if (!connection) return connection.error();
    try {
      return prepare_database(**connection);
    } catch (const std::exception& e) {
      return database_error(e);
    }
  }
};

Sequence sequence(unsigned number, std::optional<std::string> name,
                  std::initializer_list<std::string> terms, std::int64_t shift) {
  Sequence made{.id = SequenceId(number), .name = std::move(name), .shift = shift};
  for (const auto& term : terms)
    made.terms.add(term);
  return made;
}

TEST_CASE("a database that the old service made is read, with its quirks") {
  OldDatabase f;
  f.make(kOldService);
  CHECK(!f.load(1)->terms);  // requested for ever: simply fetched again
  CHECK(!f.load(1)->name);
  CHECK(!f.load(2)->name);
  CHECK(joined(*f.load(2)->terms) == "1|2");
  CHECK(joined(*f.load(2)->factors) == "[]|[2,1]");
  CHECK(!f.load(3)->terms);
  CHECK(f.load(3)->name == "With nulls");
  CHECK(!f.load(4)->terms);
  CHECK(!f.load(4)->factors);
  CHECK(f.load(5)->shift == -2);
  CHECK(joined(*f.load(5)->factors) == "[5,1]|no_fac_yet");
  CHECK(!f.load(6)->name);
  CHECK(joined(*f.load(6)->terms) == "7|8");
  CHECK(!f.load(6)->factors);  // of more terms than there are: of other ones
  // Nothing but our own schema was added
  CHECK(f.sql("SELECT string_agg(version_num, ',') FROM alembic_version") == "c9c9d1ed1a4b");
  CHECK(f.sql("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'") ==
        "4");
  CHECK(f.sql("SELECT count(*) FROM searches") == "2");
}

TEST_CASE("what we store in it, the old service can read, and what it had stays") {
  OldDatabase f;
  f.make(kOldService);
  // Factors and references stay with the values that they are of
  f.save(sequence(5, "Good", {"5", "6", "7"}, -2));
  CHECK(f.sql("SELECT s::text FROM sequences s WHERE id = 'A000005'") ==
        R"((A000005,Good,-2,"{5,6,7}",t,"Cf. A000002.","{A000001,A000040}",2,1700000000,)"
        R"("{""[5,1]"",no_fac_yet}"))");
  f.save(sequence(2, "New", {"1", "3"}, 1));
  CHECK(f.sql("SELECT s::text FROM sequences s WHERE id = 'A000002'") ==
        R"((A000002,New,1,"{1,3}",t,,,,,))");
  // A stuck row, a row without a name, a new row
  f.save(sequence(1, std::nullopt, {"1", "-1", std::string(300, '7')}, 0));
  CHECK(f.sql("SELECT name || ' ' || cardinality(\"values\") || array_ndims(\"values\") || "
              "array_lower(\"values\", 1) FROM sequences WHERE id = 'A000001'") ==
        "A000001 [name not yet loaded] 311");
  f.save(sequence(7, std::nullopt, {"0"}, 1));
  CHECK(f.sql("SELECT s::text FROM sequences s WHERE id = 'A000007'") ==
        R"((A000007,"A000007 [name not yet loaded]",1,{0},t,,,,,))");
  // As its code expects: no values without text, none missing, factors not more than values
  CHECK(f.sql("SELECT count(*) FROM sequences WHERE id IN ('A000001','A000002','A000007') AND "
              "(array_position(\"values\", NULL) IS NOT NULL OR NOT values_requested)") == "0");
  auto terms = std::make_shared<Terms>(sequence(7, "", {"0"}, 1).terms);
  auto factors = std::make_shared<Terms>();
  factors->add("[0, 1]");
  f.store->save_factors(SequenceId(7), terms, factors);
  CHECK(f.until(
      [&] { return f.sql("SELECT factors[1] FROM sequences WHERE id = 'A000007'") == "[0, 1]"; }));
}

TEST_CASE("the tables that we make are those of the old service, column by column") {
  OldDatabase f;
  constexpr const char* kColumns =
      "SELECT string_agg(concat_ws(' ', table_name, column_name, udt_name, is_nullable, "
      "column_default, character_maximum_length), E'\\n' ORDER BY table_name, ordinal_position) "
      "FROM information_schema.columns WHERE table_name IN ('sequences', 'searches')";
  f.reopen();
  CHECK(f.load(1));
  const std::string ours = f.sql(kColumns);
  f.make("DROP SCHEMA gatescope CASCADE; DROP TABLE sequences, searches; " +
         std::string(kOldService));
  CHECK(ours == f.sql(kColumns));
  CHECK(ours.find("sequences shift int4 NO 0") != std::string::npos);
}

TEST_CASE("an old release's table without the later columns gets them from its owner") {
  OldDatabase f;
  const std::string old =
      "CREATE TABLE sequences (id varchar PRIMARY KEY, name varchar, shift integer NOT NULL "
      "DEFAULT 0, \"values\" varchar[]); INSERT INTO sequences VALUES ('A000040', 'x', 1, '{2}');";
  SECTION("we own it") {
    f.make(old);
    CHECK(f.load(40)->name == "x");
    CHECK(f.sql("SELECT values_requested, factors IS NULL FROM sequences") == "f");
  }
  SECTION("somebody else does") {
    f.make(old +
           "CREATE ROLE scope; GRANT CREATE ON DATABASE postgres TO scope; GRANT CREATE ON SCHEMA "
           "public TO scope; GRANT ALL ON sequences TO scope");
    const auto prepared = f.prepare_as("scope");
    REQUIRE(!prepared);
    CHECK(prepared.error().kind == ErrorKind::Forbidden);
    CHECK(prepared.error().detail.find("belongs to \"gatescope\"") != std::string::npos);
    CHECK(prepared.error().detail.find("ALTER TABLE sequences ADD COLUMN factors varchar[]") !=
          std::string::npos);
  }
}

TEST_CASE("a role with too few privileges is told the command that grants them, which works") {
  OldDatabase f;
  const auto granted_by = [](const std::string& detail) {
    const auto begin = detail.find("-c '") + 4;
    return detail.substr(begin, detail.rfind('\'') - begin);
  };
  SECTION("an empty database") {
    f.make("CREATE ROLE scope");
  }
  SECTION("the old service's tables, of another role") {
    f.make(std::string(kOldService) + "; CREATE ROLE scope");
  }
  SECTION("our own schema, of another role") {
    f.make("CREATE ROLE scope");
    CHECK(f.load(40));
  }
  const auto refused = f.prepare_as("scope");
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::Forbidden);
  const std::string detail = refused.error().detail;
  CHECK(detail.find("the role \"scope\" lacks privileges in \"postgres\"") != std::string::npos);
  auto owner = open_connection(f.postgres->connection_string());
  REQUIRE(owner);
  {
    pqxx::work t(**owner);
    INFO(detail);
    t.exec(granted_by(detail));
    t.commit();
  }
  const auto prepared = f.prepare_as("scope");
  if (!prepared) FAIL(prepared.error().detail);
  f.store.reset();
  f.lane.reset();
  GivenDatabase given(f.connection_as("scope"));
  f.open_store(given);
  f.save(sequence(8, "x", {"2"}, 1));
  CHECK(f.load(8)->terms.has_value());
  f.store.reset();
  f.lane.reset();
}

TEST_CASE("several gatescopes that start at once on an empty database make its tables once") {
  OldDatabase f;
  const std::string where = f.postgres->connection_string();
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      auto connection = open_connection(where);
      try {
        if (!connection || !prepare_database(**connection)) ++failures;
      } catch (const std::exception&) {
        ++failures;
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  CHECK(failures == 0);
  f.open_store();
  CHECK(f.sql("SELECT count(*) || ' ' || max(number) FROM gatescope.version") ==
        std::to_string(newest_schema_version()) + " " + std::to_string(newest_schema_version()));
}

TEST_CASE("a database of a newer gatescope is left alone") {
  OldDatabase f;
  f.reopen();
  CHECK(f.load(1));
  CHECK(f.sql("INSERT INTO gatescope.version(number) VALUES (1000)") == "");
  f.reopen();
  const auto loaded = f.load(1);
  REQUIRE(!loaded);
  CHECK(loaded.error().detail.find("newer gatescope (schema 1000") != std::string::npos);
}

}  // namespace
}  // namespace gatescope::api
