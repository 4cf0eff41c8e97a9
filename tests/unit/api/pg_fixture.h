#pragma once

// A real PostgreSQL on a real loop, in a folder of its own. Without PostgreSQL's binaries the tests
// that use it fail: that is meant. No test sleeps: until() runs turns until a condition holds.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "api/embedded_postgres.h"
#include "api/pg_session.h"
#include "api/pg_store.h"
#include "proxy/net/uv_loop.h"
#include "tests/support/catch.h"
#include "tests/unit/api/api_fixture.h"
#include "tests/unit/api/made_cluster_fixture.h"

namespace gatescope::api {

/// A loop and what to wait with.
struct RealLoop {
  net::OwnSockets sockets;
  MemoryLog log;
  std::unique_ptr<net::UvLoop> loop = net::UvLoop::make(sockets, log);

  bool until(const std::function<bool()>& holds, Duration within = Duration(120'000)) {
    struct : net::TimerEvents {
      void on_timer(net::Timer&) override {}
    } nothing;
    // A turn may run what is due and then wait for more: the tick ends that.
    const auto tick = loop->make_timer(nothing);
    const MonoTime end = SystemClock().now() + within;
    while (!holds() && SystemClock().now() < end) {
      tick->start(Duration(20));
      loop->run_turn();
    }
    return holds();
  }
};

struct PgFixture : RealLoop {
  using State = EmbeddedPostgres::State;
  OpenFolder folder;
  Stats stats;
  std::unique_ptr<EmbeddedPostgres> postgres = make();
  std::unique_ptr<PgLane> lane;
  std::unique_ptr<PgStore> store;
  bool is_made = true;  // the first start finds a cluster

  ~PgFixture() {
    store.reset();
    lane.reset();
    if (postgres && postgres->state() != State::Stopped && postgres->state() != State::Idle) stop();
    postgres.reset();
  }
  std::string state_dir() const { return folder / "state"; }
  std::string data(const std::string& name) const { return state_dir() + "/postgres/data/" + name; }
  std::unique_ptr<EmbeddedPostgres> make() {
    return std::make_unique<EmbeddedPostgres>(
        *loop, log, EmbeddedPostgresSettings{.state_dir = state_dir()}, &stats);
  }
  void open_store() { open_store(*postgres); }
  void open_store(Database& database) {
    lane = std::make_unique<PgLane>(*loop, log, database, 2, nullptr);
    store = std::make_unique<PgStore>(*lane, log);
  }
  void start() {
    if (is_made && !std::filesystem::exists(state_dir())) put_made_cluster(state_dir());
    postgres->start();
    if (!until([&] { return postgres->ready(); })) FAIL(log.text());
  }
  void stop() {
    bool stopped = false;
    postgres->stop([&] { stopped = true; });
    CHECK(!stopped);
    CHECK(until([&] { return stopped; }));
  }
  Result<StoredSequence> load(unsigned number, Duration within = Duration(60'000)) {
    std::optional<Result<StoredSequence>> result;
    const auto job = store->load(SequenceId(number), within,
                                 [&](Result<StoredSequence> r) { result.emplace(std::move(r)); });
    CHECK(!result);
    if (!until([&] { return result.has_value(); })) FAIL("no answer from the store");
    return std::move(*result);
  }
  using Entry = Result<std::optional<SeqEntry>>;
  Entry entry_of(
      const std::function<std::unique_ptr<SequenceStore::Job>(SequenceStore::EntryLoaded)>& ask) {
    std::optional<Entry> result;
    const auto job = ask([&](Entry r) { result.emplace(std::move(r)); });
    CHECK(!result);
    if (!until([&] { return result.has_value(); })) FAIL("no answer from the store");
    return std::move(*result);
  }
  Entry load_entry(unsigned number) {
    return entry_of([&](auto done) {
      return store->load_entry(SequenceId(number), Duration(60'000), std::move(done));
    });
  }
  Entry save_entry(const SeqEntry& entry) {
    return entry_of([&](auto done) {
      return store->save_entry(std::make_shared<const SeqEntry>(entry), Duration(60'000),
                               std::move(done));
    });
  }
  std::optional<Metadata> load_metadata(unsigned number) {
    std::optional<Result<std::optional<Metadata>>> result;
    const auto job = store->load_metadata(SequenceId(number), Duration(60'000),
                                          [&](auto r) { result.emplace(std::move(r)); });
    CHECK(!result);
    if (!until([&] { return result.has_value(); })) FAIL("no answer from the store");
    if (!*result) FAIL(result->error().detail);
    return std::move(**result);
  }
  Result<void> work(PgWork work, Duration within = Duration(60'000)) {
    std::optional<Result<void>> result;
    const auto job =
        lane->run(std::move(work), within, [&](Result<void> r) { result.emplace(std::move(r)); });
    if (!until([&] { return result.has_value(); })) FAIL("no answer from the lane");
    return std::move(*result);
  }
  /// The first field of the first row; the error's text when it fails.
  std::string sql(std::string text) {
    auto answer = std::make_shared<std::string>();
    const auto done = work([text = std::move(text), answer](PgSession& session) -> Result<void> {
      pqxx::nontransaction t(session.connection());
      const auto rows = t.exec(text);
      if (!rows.empty() && !rows[0].empty()) *answer = rows[0][0].c_str();
      return {};
    });
    return done ? *answer : done.error().detail;
  }
};

inline std::string joined(const Terms& terms) {
  std::string out;
  for (std::size_t i = 0; i < terms.size(); ++i)
    out += (i > 0 ? "|" : "") + std::string(terms[i]);
  return out;
}

}  // namespace gatescope::api
