#include "api/pg_import.h"

#include <fmt/format.h>

#include <atomic>
#include <tuple>
#include <utility>

#include "api/database.h"
#include "api/mentions.h"
#include "api/pg_array.h"
#include "api/pg_import_sql.h"
#include "api/pg_notify.h"
#include "api/pg_schema.h"
#include "api/pg_session.h"
#include "api/utf8.h"

namespace gatescope::api {

namespace {

Error failed(std::string_view what) {
  while (!what.empty() && (what.back() == '\n' || what.back() == ' '))
    what.remove_suffix(1);
  return make_error(ErrorKind::Internal, Origin::Internal, "database: " + std::string(what));
}

/// The border that libpqxx's exceptions do not pass.
template <class Work>
auto guarded(const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const pqxx::broken_connection& e) {
    Error error = failed(e.what());
    error.kind = ErrorKind::Unavailable;
    return error;
  } catch (const std::exception& e) {
    return failed(e.what());
  }
}

std::string array_of(const std::vector<SequenceId>& ids) {
  std::vector<std::uint32_t> numbers;
  for (const auto id : ids)
    numbers.push_back(id.number());
  return format_pg_numbers(numbers);
}

std::vector<KnownFile> known_files(const pqxx::result& rows) {
  std::vector<KnownFile> known;
  known.reserve(rows.size());
  for (const auto& row : rows)
    known.push_back(
        {.id = SequenceId(row[0].as<std::uint32_t>()),
         .stamp = {.mtime = row[1].as<std::int64_t>(), .size = row[2].as<std::int64_t>()}});
  return known;
}

const std::vector<std::string>& staged_columns() {
  static const std::vector<std::string> columns = {"number", "tree",    "name",       "first_index",
                                                   "terms",  "xrefs",   "file_mtime", "file_size",
                                                   "flags",  "mentions"};
  return columns;
}

}  // namespace

struct PgImport::State {
  std::unique_ptr<pqxx::connection> connection;
  int tree = 0;  // of what is staged
  std::atomic<bool> applying{false};
  // While rows flow; null: none do
  std::unique_ptr<pqxx::work> staging;
  std::unique_ptr<pqxx::stream_to> rows;

  void begin_rows() {
    if (rows) return;
    staging = std::make_unique<pqxx::work>(*connection);
    staging->exec("SET LOCAL synchronous_commit = off");
#if PQXX_VERSION_MAJOR >= 7
    std::string columns;
    for (const auto& column : staged_columns())
      columns += (columns.empty() ? "" : ",") + column;
    rows = std::make_unique<pqxx::stream_to>(
        pqxx::stream_to::raw_table(*staging, "gatescope.import_entry", columns));
#else
    rows = std::make_unique<pqxx::stream_to>(*staging, "gatescope.import_entry", staged_columns());
#endif
  }
  void end_rows() {
    if (!rows) return;
    rows->complete();
    rows.reset();
    staging->commit();
    staging.reset();
  }
  void forget_rows() {
    rows.reset();
    staging.reset();
  }
  ~State() {
    try {
      forget_rows();
    } catch (const std::exception&) {  // of a connection that broke
    }
  }
};

PgImport::PgImport(std::unique_ptr<State> state) : state_(std::move(state)) {}
PgImport::~PgImport() = default;

Result<std::unique_ptr<PgImport>> PgImport::open(const std::string& connection) {
  using Opened = Result<std::unique_ptr<PgImport>>;
  auto state = std::make_unique<State>();
  try {
    state->connection = std::make_unique<pqxx::connection>(
        with_parameter(connection, "application_name", "'gatescope oeis import'"));
  } catch (const std::exception& e) {
    Error error = failed(e.what());
    error.kind = ErrorKind::Unavailable;
    return error;
  }
  return guarded([&]() -> Opened {
    if (auto prepared = prepare_database(*state->connection); !prepared) return prepared.error();
    pqxx::nontransaction t(*state->connection);
    t.exec("SET client_encoding = 'UTF8'");
    t.exec("SET statement_timeout = 0");
    t.exec("SET work_mem = '64MB'");
    if (!t.exec(import_sql::kTryLock)[0][0].as<bool>()) {
      const auto who = t.exec(import_sql::kWhoHasTheLock);
      return make_error(ErrorKind::Busy, Origin::Internal,
                        "another import is working on this database" +
                            (who.empty() ? std::string()
                                         : fmt::format(" (since {}, from {})", text(who[0][0]),
                                                       text(who[0][1]))) +
                            "; nothing was done");
    }
    return std::unique_ptr<PgImport>(new PgImport(std::move(state)));
  });
}

Result<PgImport::KnownTree> PgImport::begin_tree(const std::string& path) {
  return guarded([&]() -> Result<KnownTree> {
    pqxx::work t(*state_->connection);
    const std::string quoted = t.quote(valid_utf8(path));
    t.exec("INSERT INTO gatescope.tree (path) VALUES (" + quoted + ") ON CONFLICT DO NOTHING");
    state_->tree =
        t.exec("SELECT number FROM gatescope.tree WHERE path = " + quoted)[0][0].as<int>();
    t.exec(fmt::format("DELETE FROM gatescope.import_entry WHERE tree <> {}", state_->tree));
    KnownTree known;
    known.staged = known_files(
        t.exec("SELECT number, file_mtime, file_size FROM gatescope.import_entry ORDER BY number"));
    known.stored = known_files(t.exec(fmt::format(
        "SELECT number, file_mtime, file_size FROM gatescope.entry WHERE tree = {} ORDER BY number",
        state_->tree)));
    t.commit();
    return known;
  });
}

Result<void> PgImport::begin_lists() {
  return guarded([&]() -> Result<void> {
    state_->tree = 0;
    pqxx::work t(*state_->connection);
    t.exec("TRUNCATE gatescope.import_entry");
    t.commit();
    return {};
  });
}

Result<void> PgImport::drop_staged(const std::vector<SequenceId>& ids) {
  if (ids.empty()) return {};
  return guarded([&]() -> Result<void> {
    pqxx::work t(*state_->connection);
    t.exec("DELETE FROM gatescope.import_entry WHERE number = ANY('" + array_of(ids) + "')");
    t.commit();
    return {};
  });
}

Result<void> PgImport::stage(const std::vector<SeqEntry>& entries) {
  return guarded([&]() -> Result<void> {
    state_->begin_rows();
    for (const auto& entry : entries)
      *state_->rows << std::make_tuple(entry.id.number(), state_->tree, entry.name, entry.offset,
                                       entry.terms.listed(), entry.xrefs, entry.file.mtime,
                                       entry.file.size, entry.flags(),
                                       format_pg_numbers(entry.mentions));
    return {};
  });
}

Result<void> PgImport::stage(const std::vector<ListedEntry>& entries) {
  return guarded([&]() -> Result<void> {
    state_->begin_rows();
    for (const auto& entry : entries) {
      // Nobody knows its first index, so its terms are good for searching only.
      *state_->rows << std::make_tuple(
          entry.id.number(), state_->tree, entry.name, 0, entry.terms, "", 0, 0, 0,
          format_pg_numbers(find_mentions(entry.name.value_or(""), entry.id)));
    }
    return {};
  });
}

Result<void> PgImport::commit_staged() {
  return guarded([&]() -> Result<void> {
    state_->end_rows();
    return {};
  });
}

Result<PgImport::Counts> PgImport::apply(const std::vector<SequenceId>& gone,
                                         const std::function<bool(std::string_view)>& step) {
  const auto cancelled = make_error(ErrorKind::Cancelled, Origin::Internal, "interrupted");
  return guarded([&]() -> Result<Counts> {
    state_->end_rows();
    pqxx::work t(*state_->connection);
    state_->applying = true;
    if (!step("comparing")) return cancelled;
    t.exec("ANALYZE gatescope.import_entry");
    t.exec(import_sql::kLockOutSaves);
    if (state_->tree == 0) {
      for (const char* statement : import_sql::kFitLists)
        t.exec(statement);
    }
    t.exec(fmt::format(import_sql::kGone, array_of(gone), state_->tree));
    Counts counts;
    const auto row = t.exec(import_sql::kCount)[0];
    counts.added = row[0].as<std::size_t>();
    counts.changed = row[1].as<std::size_t>();
    counts.removed = row[2].as<std::size_t>();
    if (counts.added + counts.changed + counts.removed > 0) {
      if (!step("references")) return cancelled;
      for (const char* statement : import_sql::kReferences)
        t.exec(statement);
      if (!step("entries")) return cancelled;
      for (const char* statement : import_sql::kEntries)
        t.exec(statement);
      t.exec(fmt::format("UPDATE gatescope.tree SET imported = now() WHERE number = {}",
                         state_->tree));
      notify_imported(t, kCommandSender);
    }
    t.exec("TRUNCATE gatescope.import_entry");
    if (!step("committing")) return cancelled;
    t.commit();
    if (counts.added + counts.changed + counts.removed > 0) {
      pqxx::nontransaction after(*state_->connection);
      after.exec("ANALYZE gatescope.entry, gatescope.backref");
    }
    return counts;
  });
}

void PgImport::cancel() {
  if (!state_->applying) return;  // rows that flow would be lost, and end by themselves
  try {
    state_->connection->cancel_query();
  } catch (const std::exception&) {  // nothing ran
  }
}

}  // namespace gatescope::api
