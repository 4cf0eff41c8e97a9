#include "api/pg_store.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "api/pg_array.h"
#include "api/pg_session.h"

namespace gatescope::api {

namespace {

// Nobody waits for it, and large values take a while to write.
constexpr Duration kSaveDeadline{10'000};

class LoadJob final : public SequenceStore::Job {
 public:
  explicit LoadJob(std::unique_ptr<PgLane::Job> job) : job_(std::move(job)) {}

 private:
  const std::unique_ptr<PgLane::Job> job_;
};

Result<void> load_row(PgSession& session, SequenceId id, StoredSequence& stored) {
  pqxx::nontransaction t(session.connection());
  const auto rows = run(t, "load_sequence", id.text());
  stored = {};
  if (rows.empty()) return {};
  const auto name = text(rows[0][0]);
  if (!name.empty() && name != placeholder_name(id)) stored.name = std::string(name);
  stored.shift = rows[0][1].as<std::int64_t>();
  if (!rows[0][2].is_null()) stored.terms = parse_pg_array(text(rows[0][2]));
  if (stored.terms && stored.terms->empty()) stored.terms.reset();
  return {};
}

/// What is stored can be fetched again: no need to wait for the disk.
void relax(pqxx::work& t) {
  t.exec("SET LOCAL synchronous_commit = off");
}

}  // namespace

std::unique_ptr<SequenceStore::Job> PgStore::load(SequenceId id, Duration within, Loaded done) {
  auto stored = std::make_shared<StoredSequence>();
  return std::make_unique<LoadJob>(
      lane_.run([id, stored](PgSession& session) { return load_row(session, id, *stored); }, within,
                [stored, done = std::move(done)](Result<void> result) {
                  if (!result) return done(result.error());
                  done(std::move(*stored));
                }));
}

void PgStore::save(std::shared_ptr<const Sequence> sequence) {
  const std::string id = sequence->id.text();
  if (!sequence->has_all_terms()) {
    return log_.print(LogLevel::Alert, "{}: incomplete values were to be stored", id);
  }
  using Shift = std::numeric_limits<std::int32_t>;  // the column's type
  if (sequence->shift < Shift::min() || sequence->shift > Shift::max()) {
    return log_.print(LogLevel::Notice, "{}: its first index {} does not fit into the database", id,
                      sequence->shift);
  }
  lane_.run_detached(
      "storing " + id,
      [sequence = std::move(sequence)](PgSession& session) -> Result<void> {
        const std::string placeholder = placeholder_name(sequence->id);
        pqxx::work t(session.connection());
        relax(t);
        run(t, "save_sequence", sequence->id.text(), sequence->name.value_or(placeholder),
            sequence->shift, format_pg_array(sequence->terms), placeholder);
        t.commit();
        return {};
      },
      kSaveDeadline);
}

void PgStore::save_name(SequenceId id, std::string name) {
  lane_.run_detached(
      "storing the name of " + id.text(),
      [id, name = std::move(name)](PgSession& session) -> Result<void> {
        pqxx::work t(session.connection());
        relax(t);
        run(t, "save_name", id.text(), name);
        t.commit();
        return {};
      },
      kSaveDeadline);
}

}  // namespace gatescope::api
