#include <signal.h>

#include "api/instance_id.h"
#include "api/pg_changes.h"
#include "api/pg_notify.h"
#include "tests/unit/api/pg_fixture.h"

namespace gatescope::api {
namespace {

struct Recorder final : ChangeEvents {
  std::vector<unsigned> changed;
  int imported = 0, missed = 0;
  void on_changed(SequenceId id) override { changed.push_back(id.number()); }
  void on_imported() override { ++imported; }
  void on_changes_missed() override { ++missed; }
};

struct ChangesFixture : PgFixture {
  const std::string own = make_instance_id();
  Recorder events;
  std::unique_ptr<PgChanges> changes;

  ~ChangesFixture() { changes.reset(); }
  void listen() {
    changes = std::make_unique<PgChanges>(*loop, log, *postgres, own, &stats);
    changes->set_events(&events);
  }
  /// Stores as the instance of that name does.
  void save_as(const std::string& instance, unsigned number, const std::string& term) {
    PgStore other(*lane, log, instance);
    auto sequence = std::make_shared<Sequence>(Sequence{.id = SequenceId(number), .name = "x"});
    sequence->terms.add(term);
    other.save(sequence);
  }
};

TEST_CASE("what another gatescope stores is heard, what we store is not") {
  ChangesFixture f;
  f.open_store();
  f.listen();  // before there is a server
  f.postgres->start();
  REQUIRE(f.until([&] { return f.events.missed == 1; }));
  CHECK(f.changes->listening());
  f.save_as(f.own, 40, "2");
  f.save_as("other", 41, "2");
  REQUIRE(f.until([&] { return f.events.changed.size() == 1; }));
  CHECK(f.events.changed[0] == 41);
  // Stored by another thread of the lane, unheard: what follows needs the row.
  while (f.sql("SELECT count(*) FROM sequences WHERE id = 'A000040'") == "0")
    continue;
  PgStore other(*f.lane, f.log, "other");
  const auto terms = [](const char* one) {
    auto made = std::make_shared<Terms>();
    made->add(one);
    return made;
  };
  SECTION("names, factors, entries; not what changed nothing") {
    other.save_name(SequenceId(99), "nothing there");
    other.save_factors(SequenceId(41), terms("3"), terms("[3,1]"));
    other.save_name(SequenceId(41), "y");
    other.save_factors(SequenceId(40), terms("2"), terms("[2,1]"));
    CHECK(f.entry_of([&](auto done) {
      return other.save_entry(std::make_shared<const SeqEntry>(SeqEntry{.id = SequenceId(42)}),
                              Duration(20'000), std::move(done));
    }));
    const bool all = f.until([&] { return f.events.changed.size() == 4; });
    for (const auto id : f.events.changed)
      UNSCOPED_INFO(id);
    REQUIRE(all);
    std::sort(f.events.changed.begin(), f.events.changed.end());
    CHECK(f.events.changed == std::vector<unsigned>{40, 41, 41, 42});
  }
  SECTION("an import") {
    REQUIRE(f.work([](PgSession& session) -> Result<void> {
      pqxx::work t(session.connection());
      notify_imported(t, "command");
      t.commit();
      return {};
    }));
    CHECK(f.until([&] { return f.events.imported == 1; }));
  }
  SECTION("nonsense on the channel") {
    CHECK(f.sql("NOTIFY gatescope; NOTIFY gatescope, 'x'; NOTIFY gatescope, 'x y z'; "
                "NOTIFY gatescope, 'other A000077'") == "");
    REQUIRE(f.until([&] { return f.events.changed.size() == 2; }));
    CHECK(f.events.changed[1] == 77);
  }
  CHECK(f.events.missed == 1);
}

TEST_CASE("after each reconnect all is to be looked at again") {
  ChangesFixture f;
  f.start();
  f.open_store();
  f.listen();
  REQUIRE(f.until([&] { return f.events.missed == 1; }));
  SECTION("the backend was ended") {
    CHECK(f.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE "
                "'%LISTEN%' AND pid <> pg_backend_pid()") == "1");
  }
  SECTION("the server was killed") {
    REQUIRE(::kill(f.postgres->server_pid(), SIGKILL) == 0);
  }
  REQUIRE(f.until([&] { return f.events.missed == 2; }));
  f.save_as("other", 41, "2");
  CHECK(f.until([&] { return f.events.changed == std::vector<unsigned>{41}; }));
  CHECK(f.log.has("no changes of other gatescopes are heard"));
  CHECK(f.log.has("are heard again"));
}

TEST_CASE("an end while it listens, rests or waits for a server comes at once") {
  ChangesFixture f;
  SECTION("no server") {
    f.listen();
    f.loop->run_turn();
  }
  SECTION("listening") {
    f.start();
    f.listen();
    REQUIRE(f.until([&] { return f.changes->listening(); }));
  }
  const MonoTime begin = SystemClock().now();
  f.changes.reset();
  CHECK(SystemClock().now() - begin < Duration(20'000));
}

}  // namespace
}  // namespace gatescope::api
