#include "api/pg_store.h"

#include <signal.h>

#include "api/pg_schema.h"
#include "tests/unit/api/pg_fixture.h"

namespace gatescope::api {
namespace {

std::shared_ptr<const Sequence> sequence(unsigned number, std::optional<std::string> name,
                                         std::initializer_list<std::string> terms,
                                         std::int64_t shift = 1) {
  auto made = std::make_shared<Sequence>(
      Sequence{.id = SequenceId(number), .name = std::move(name), .shift = shift});
  for (const auto& term : terms)
    made->terms.add(term);
  return made;
}

TEST_CASE("what is stored is read again, whatever it holds") {
  PgFixture f;
  f.open_store();
  f.postgres->start();  // the first question waits for the cluster to be made
  CHECK(!f.load(40)->terms);
  const std::string large(5000, '9');
  f.store->save(sequence(40, "Quo\"te, \\ and 'Erd\xC5\x91s' \xF0\x9D\x94\xB8.",
                         {"2", "-3", large, "say \"x\", \\", "NULL", "", "{1,2}"}, -43));
  REQUIRE(f.until([&] { return f.load(40)->terms.has_value(); }));
  const auto stored = f.load(40);
  CHECK(stored->name == "Quo\"te, \\ and 'Erd\xC5\x91s' \xF0\x9D\x94\xB8.");
  CHECK(stored->shift == -43);
  CHECK(joined(*stored->terms) == "2|-3|" + large + "|say \"x\", \\|NULL||{1,2}");
  // As the old service expects to find it
  CHECK(f.sql("SELECT values_requested AND \"values\"[1] = '2' AND factors IS NULL AND raw_refs IS "
              "NULL FROM sequences WHERE id = 'A000040'") == "t");
  CHECK(f.sql("SELECT max(number) FROM gatescope.version") ==
        std::to_string(newest_schema_version()));
}

TEST_CASE("an entry of oeisdata is read as it was stored, apart from what b-files gave") {
  PgFixture f;
  f.open_store();
  f.postgres->start();
  const auto none = f.load_entry(40);
  REQUIRE(none);
  CHECK(!none->has_value());
  SeqEntry entry{.id = SequenceId(40),
                 .name = "Quo\"te, \\ and 'Erd\xC5\x91s'.",
                 .offset = -(std::int64_t{1} << 40),
                 .xrefs = "Cf. A000045.\n  and more",
                 .file = {.mtime = 1'790'000'000'123'456'789, .size = 77}};
  for (const std::string& term : {std::string("2"), std::string("-3"), std::string(5000, '9')})
    entry.terms.add(term);
  const auto saved = f.save_entry(entry);
  REQUIRE(saved);
  const auto loaded = f.load_entry(40);
  REQUIRE(loaded);
  for (const auto* found : {&*saved, &*loaded}) {
    REQUIRE(found->has_value());
    CHECK((*found)->name == entry.name);
    CHECK((*found)->offset == entry.offset);
    CHECK((*found)->terms == entry.terms);
    CHECK((*found)->xrefs == entry.xrefs);
    CHECK((*found)->file == entry.file);
  }
  CHECK(f.sql("SELECT count(*) FROM sequences") == "0");
  // A reserved number, and an older entry replaced as a whole
  entry.terms = {};
  entry.name = "";
  entry.file.size = 1;
  REQUIRE(f.save_entry(entry));
  const auto changed = f.load_entry(40);
  CHECK((*changed)->terms.empty());
  CHECK((*changed)->name.empty());
  CHECK((*changed)->file == entry.file);
  CHECK(f.sql("SELECT count(*) FROM gatescope.entry") == "1");
}

TEST_CASE("metadata: what was imported comes first, then what the old service had stored") {
  PgFixture f;
  f.start();
  f.open_store();
  CHECK(f.sql("SELECT 1") == "1");  // makes the tables
  CHECK(f.sql(R"(
      INSERT INTO gatescope.entry
        (number, name, first_index, terms, xrefs, file_mtime, file_size, tree)
      VALUES (40, 'The primes.', 1, '2,3', 'Cf. A000045.', 0, 0, 1), (41, '', 1, '', '', 0, 0, 1),
        (42, 'Read singly.', 1, '1', '', 0, 0, NULL), (43, 'In a list.', 1, '1', '', 0, 0, 0);
      INSERT INTO gatescope.backref VALUES (40, 3, '{10,45,399999}'), (44, 1, '{40}');
      INSERT INTO sequences (id, name, raw_refs, backrefs) VALUES
        ('A000040', 'Old name', 'Old refs', '{A000001}'),
        ('A000042', 'Old name', 'Old refs', '{A000045,A000010,rubbish,A000010}'),
        ('A000043', 'Old name', NULL, NULL),
        ('A000046', 'A000046 [name not yet loaded]', 'Cf. it.', NULL),
        ('A000047', 'A000047 [name not yet loaded]', NULL, NULL),
        ('A000048', 'Only a name', NULL, NULL))") == "");
  const auto metadata = [&](unsigned number) { return f.load_metadata(number); };
  const auto numbers = [&](unsigned number) {
    std::string out;
    const auto found = metadata(number);
    for (const auto id : found->backrefs)
      out += id.text() + " ";
    return out;
  };
  CHECK(metadata(40)->name == "The primes.");
  CHECK(metadata(40)->xrefs == "Cf. A000045.");
  CHECK(numbers(40) == "A000010 A000045 A399999 ");
  CHECK(metadata(40)->imported);
  CHECK(!metadata(41)->name);  // recycled
  CHECK(metadata(41)->imported);
  CHECK(metadata(42)->name == "Read singly.");
  CHECK(metadata(42)->xrefs == "Old refs");
  CHECK(numbers(42) == "A000010 A000045 ");
  CHECK(!metadata(42)->imported);
  CHECK(metadata(43)->name == "In a list.");
  CHECK(!metadata(43)->imported);
  CHECK(numbers(44) == "A000040 ");  // mentioned, no more
  CHECK(!metadata(44)->name);
  CHECK(!metadata(45));
  CHECK(metadata(46)->xrefs == "Cf. it.");
  CHECK(!metadata(46)->name);
  CHECK(!metadata(47));
  CHECK(metadata(48)->name == "Only a name");
}

TEST_CASE("a database of the first slice gets what is new, and keeps what it has") {
  PgFixture f;
  f.open_store();
  f.start();
  f.store->save(sequence(40, "x", {"2"}));
  REQUIRE(f.until([&] { return f.load(40)->terms.has_value(); }));
  CHECK(f.sql("DROP SCHEMA gatescope CASCADE; CREATE SCHEMA gatescope; CREATE TABLE "
              "gatescope.version (number integer PRIMARY KEY, since timestamptz NOT NULL DEFAULT "
              "now()); INSERT INTO gatescope.version VALUES (1)") == "");
  f.store.reset();
  f.lane.reset();
  f.open_store();
  CHECK(f.load_entry(40));
  CHECK(f.load(40)->terms.has_value());
  CHECK(f.sql("SELECT count(*) = max(number) AND count(*) > 1 FROM gatescope.version") == "t");
}

TEST_CASE("names: a placeholder is stored for none, and replaced when one comes") {
  PgFixture f;
  f.open_store();
  f.postgres->start();
  f.store->save(sequence(41, std::nullopt, {"1"}));
  REQUIRE(f.until([&] { return f.load(41)->terms.has_value(); }));
  CHECK(!f.load(41)->name);
  CHECK(f.sql("SELECT name FROM sequences") == "A000041 [name not yet loaded]");
  f.store->save_name(SequenceId(41), "Partitions.");
  REQUIRE(f.until([&] { return f.load(41)->name == "Partitions."; }));
  f.store->save(sequence(41, std::nullopt, {"1", "2"}));  // does not forget it
  REQUIRE(f.until([&] { return f.load(41)->terms->size() == 2; }));
  CHECK(f.load(41)->name == "Partitions.");
}

TEST_CASE("factors are stored beside the terms that they are of, and go with them") {
  PgFixture f;
  f.open_store();
  f.postgres->start();
  const auto terms = [](std::initializer_list<std::string> list) {
    auto made = std::make_shared<Terms>();
    for (const auto& one : list)
      made->add(one);
    return made;
  };
  f.store->save(sequence(12, "x", {"12", "1", "-2"}));
  REQUIRE(f.until([&] { return f.load(12)->terms.has_value(); }));
  CHECK(!f.load(12)->factors);
  f.store->save_factors(SequenceId(12), terms({"12", "1", "-2"}),
                        terms({"[2,2;3,1]", "no_fac_yet"}));
  REQUIRE(f.until([&] { return f.load(12)->factors.has_value(); }));
  CHECK(joined(*f.load(12)->factors) == "[2,2;3,1]|no_fac_yet");
  // Of terms that are not there any more: nothing changes
  f.store->save_factors(SequenceId(12), terms({"12"}), terms({"[3,4]"}));
  f.store->save_factors(SequenceId(13), terms({"12"}), terms({"[3,4]"}));
  bool flushed = false;
  f.lane->flush(Duration(60'000), [&] { flushed = true; });
  REQUIRE(f.until([&] { return flushed; }));
  CHECK(joined(*f.load(12)->factors) == "[2,2;3,1]|no_fac_yet");
  CHECK(f.sql("SELECT count(*) FROM sequences") == "1");
  // More factors than terms, or a NULL among them: no factors
  CHECK(f.sql("UPDATE sequences SET factors = '{1,2,3,4}'") == "");
  CHECK(!f.load(12)->factors);
  CHECK(f.sql("UPDATE sequences SET factors = '{[],NULL}'") == "");
  CHECK(!f.load(12)->factors);
  CHECK(f.load(12)->terms.has_value());
}

TEST_CASE("only complete b-files are stored, and only what fits") {
  PgFixture f;
  f.open_store();
  f.start();
  auto local = std::make_shared<Sequence>(*sequence(42, "x", {"1"}));
  local->source = Source::OeisData;
  f.store->save(local);
  f.store->save(sequence(43, "x", {"1"}, std::int64_t{1} << 40));
  CHECK(f.log.has("incomplete values were to be stored"));
  CHECK(f.log.has("does not fit into the database"));
  CHECK(f.sql("SELECT count(*) FROM sequences") == "0");
}

TEST_CASE("tables that somebody dropped are made again") {
  PgFixture f;
  f.start();
  f.open_store();
  CHECK(f.load(40));
  CHECK(f.sql("DROP SCHEMA gatescope CASCADE; DROP TABLE sequences") == "");
  // Each connection may have to notice for itself.
  REQUIRE(f.until([&] { return f.load(40).ok(); }));
}

TEST_CASE("a database that is not UTF8 is refused with the command that mends it") {
  PgFixture f;
  f.start();
  f.open_store();
  CHECK(f.sql("CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'") == "");
  std::string where = f.postgres->connection_string();
  where.replace(where.find("dbname=postgres"), std::string("dbname=postgres").size(),
                "dbname=ascii");
  f.store.reset();
  f.lane.reset();
  GivenDatabase given(where);
  f.open_store(given);
  const auto loaded = f.load(40);
  REQUIRE(!loaded);
  CHECK(loaded.error().kind == ErrorKind::Invalid);
  CHECK(loaded.error().detail.find("SQL_ASCII") != std::string::npos);
  CHECK(loaded.error().detail.find("createdb -T template0 -E UTF8") != std::string::npos);
  f.store.reset();
  f.lane.reset();
}

TEST_CASE("a connection whose backend was killed is replaced") {
  PgFixture f;
  f.start();
  f.open_store();
  f.store->save(sequence(40, "x", {"2"}));
  REQUIRE(f.until([&] { return f.load(40)->terms.has_value(); }));
  CHECK(f.sql("CHECKPOINT") ==
        "");  // what is saved may be lost in a crash: it can be fetched again
  SECTION("in order") {
    CHECK(f.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> "
                "pg_backend_pid() AND backend_type = 'client backend'") != "");
  }
  SECTION("by SIGKILL: the server restarts all of them") {
    const int pid = std::stoi(f.sql("SELECT pg_backend_pid()"));
    REQUIRE(::kill(pid, SIGKILL) == 0);
  }
  for (int i = 0; i < 6; ++i)
    CHECK(f.load(40)->terms.has_value());
}

TEST_CASE("a silent server: the job ends at its deadline, and the next one works") {
  PgFixture f;
  f.start();
  f.open_store();
  CHECK(f.load(40));
  const pid_t server = f.postgres->server_pid();
  auto backend = std::make_shared<std::atomic<int>>(0);
  const auto hung = f.work(
      [backend, server](PgSession& session) -> Result<void> {
        (void)server;
        pqxx::nontransaction t(session.connection());
        *backend = t.exec("SELECT pg_backend_pid()")[0][0].as<int>();
        ::kill(*backend, SIGSTOP);
        t.exec("SELECT 1");
        return {};
      },
      Duration(300));
  REQUIRE(!hung);
  CHECK(hung.error().kind == ErrorKind::Timeout);
  CHECK(f.load(40));
  ::kill(*backend, SIGCONT);
}

TEST_CASE("a database that cannot be reached is Unavailable at once, not in five seconds") {
  RealLoop real;
  GivenDatabase nowhere("host=/nonexistent dbname=x");
  PgLane lane(*real.loop, real.log, nowhere, 1, nullptr);
  PgStore store(lane, real.log);
  for (int i = 0; i < 3; ++i) {
    std::optional<Result<StoredSequence>> result;
    const auto job = store.load(SequenceId(1), Duration(5000),
                                [&](Result<StoredSequence> r) { result.emplace(std::move(r)); });
    REQUIRE(real.until([&] { return result.has_value(); }, Duration(4000)));
    CHECK(result->error().kind == ErrorKind::Unavailable);
  }
}

TEST_CASE("a flush ends when all is stored, not before, and not never") {
  PgFixture f;
  f.open_store();
  bool flushed = false;
  const auto flush = [&](Duration within) {
    f.lane->flush(within, [&] { flushed = true; });
    CHECK(!flushed);
    REQUIRE(f.until([&] { return flushed; }));
  };
  SECTION("nothing to store") {
    flush(Duration(60'000));
    CHECK(f.log.text().empty());
  }
  SECTION("the database is only being made") {
    f.postgres->start();
    for (unsigned n = 40; n < 60; ++n)
      f.store->save(sequence(n, "x", {"2"}));
    flush(Duration(60'000));
    CHECK(f.sql("SELECT count(*) FROM sequences") == "20");
  }
  SECTION("the database never comes") {
    f.store->save(sequence(40, "x", {"2"}));
    flush(Duration(30));
    CHECK(f.log.has("not stored before the end: 1"));
  }
}

TEST_CASE("a job that is dropped tells nobody") {
  PgFixture f;
  f.start();
  f.open_store();
  CHECK(f.load(1));
  bool told = false;
  auto job = f.lane->run(
      [](PgSession& session) -> Result<void> {
        pqxx::nontransaction t(session.connection());
        t.exec("SELECT pg_sleep(30)");
        return {};
      },
      Duration(60'000), [&](Result<void>) { told = true; });
  CHECK(f.load(1));  // by the other thread
  job.reset();       // its socket is shut down: the thread is free again
  for (int i = 0; i < 4; ++i)
    CHECK(f.load(1));
  CHECK(!told);
}

}  // namespace
}  // namespace gatescope::api
