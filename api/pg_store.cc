#include "api/pg_store.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "api/pg_array.h"
#include "api/pg_entry.h"
#include "api/pg_metadata.h"
#include "api/pg_notify.h"
#include "api/pg_session.h"
#include "proxy/base/text.h"

namespace gatescope::api {

namespace {

// Nobody waits for it, and large values take a while to write.
constexpr Duration kSaveDeadline{10'000};

class StoreJob final : public SequenceStore::Job {
 public:
  explicit StoreJob(std::unique_ptr<PgLane::Job> job) : job_(std::move(job)) {}

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
  if (stored.terms && !rows[0][3].is_null()) stored.factors = parse_pg_array(text(rows[0][3]));
  if (stored.factors && (stored.factors->empty() || stored.factors->size() > stored.terms->size()))
    stored.factors.reset();
  return {};
}

/// What nobody is told to be stored can be fetched again: no need to wait for the disk.
void relax(pqxx::work& t) {
  t.exec("SET LOCAL synchronous_commit = off");
}

}  // namespace

std::unique_ptr<SequenceStore::Job> PgStore::load(SequenceId id, Duration within, Loaded done) {
  auto stored = std::make_shared<StoredSequence>();
  return std::make_unique<StoreJob>(
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
      [sequence = std::move(sequence), instance = instance_](PgSession& session) -> Result<void> {
        const std::string placeholder = placeholder_name(sequence->id);
        pqxx::work t(session.connection());
        relax(t);
        run(t, "save_sequence", sequence->id.text(), sequence->name.value_or(placeholder),
            sequence->shift, format_pg_array(sequence->terms), placeholder);
        notify_changed(t, instance, sequence->id);
        t.commit();
        return {};
      },
      kSaveDeadline);
}

void PgStore::save_name(SequenceId id, std::string name) {
  lane_.run_detached(
      "storing the name of " + id.text(),
      [id, name = std::move(name), instance = instance_](PgSession& session) -> Result<void> {
        pqxx::work t(session.connection());
        relax(t);
        if (run(t, "save_name", id.text(), name).affected_rows() == 0) return {};
        notify_changed(t, instance, id);
        t.commit();
        return {};
      },
      kSaveDeadline);
}

void PgStore::save_factors(SequenceId id, std::shared_ptr<const Terms> terms,
                           std::shared_ptr<const Terms> factors) {
  lane_.run_detached(
      "storing the factors of " + id.text(),
      [id, terms = std::move(terms), factors = std::move(factors),
       instance = instance_](PgSession& session) -> Result<void> {
        pqxx::work t(session.connection());
        relax(t);
        const auto saved =
            run(t, "save_factors", id.text(), format_pg_array(*terms), format_pg_array(*factors));
        if (saved.affected_rows() == 0) return {};
        notify_changed(t, instance, id);
        t.commit();
        return {};
      },
      kSaveDeadline);
}

std::unique_ptr<SequenceStore::Job> PgStore::load_entry(SequenceId id, Duration within,
                                                        EntryLoaded done) {
  return run_entry(id, nullptr, within, std::move(done));
}

std::unique_ptr<SequenceStore::Job> PgStore::save_entry(std::shared_ptr<const SeqEntry> entry,
                                                        Duration within, EntryLoaded done) {
  const SequenceId id = entry->id;
  return run_entry(id, std::move(entry), within, std::move(done));
}

std::unique_ptr<SequenceStore::Job> PgStore::run_entry(SequenceId id,
                                                       std::shared_ptr<const SeqEntry> store_first,
                                                       Duration within, EntryLoaded done) {
  auto found = std::make_shared<std::optional<SeqEntry>>();
  return std::make_unique<StoreJob>(lane_.run(
      [id, found, store_first = std::move(store_first), instance = instance_](PgSession& session) {
        if (store_first && !save_entry_row(session, *store_first, instance)) {
          *found = *store_first;  // an import is being applied: it brings its own
          return Result<void>();
        }
        return load_entry_row(session, id, *found);
      },
      within,
      [found, done = std::move(done)](Result<void> result) {
        if (!result) return done(result.error());
        done(std::move(*found));
      }));
}

std::unique_ptr<SequenceStore::Job> PgStore::load_metadata(SequenceId id, Duration within,
                                                           MetadataLoaded done) {
  auto found = std::make_shared<std::optional<Metadata>>();
  return std::make_unique<StoreJob>(lane_.run(
      [id, found](PgSession& session) { return load_metadata_row(session, id, *found); }, within,
      [found, done = std::move(done)](Result<void> result) {
        if (!result) return done(result.error());
        done(std::move(*found));
      }));
}

}  // namespace gatescope::api
