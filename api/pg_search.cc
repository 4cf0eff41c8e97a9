#include "api/pg_search.h"

#include <fmt/format.h>

#include <utility>

#include "api/pg_array.h"
#include "api/pg_session.h"

namespace gatescope::api {

namespace {

constexpr Duration kSaveSearchDeadline{10'000};
// What people typed and OEIS was asked for; more is not kept.
constexpr int kMaxSearches = 100'000;

enum Flag : unsigned { kCore = 1, kNice = 2, kDead = 4 };  // gatescope.entry.flags

class SearchJob final : public SequenceStore::Job {
 public:
  explicit SearchJob(std::unique_ptr<PgLane::Job> job) : job_(std::move(job)) {}

 private:
  const std::unique_ptr<PgLane::Job> job_;
};

/// What the old service stored when it failed, or in a form that is not ours, is not known.
std::optional<std::vector<FoundSequence>> read_found(const pqxx::row& row) {
  if (row[0].is_null() || row[1].is_null()) return std::nullopt;
  const auto ids = parse_pg_array(text(row[0]));
  const auto names = parse_pg_array(text(row[1]));
  if (!ids || !names || ids->empty() || ids->size() != names->size()) return std::nullopt;
  std::vector<FoundSequence> found;
  for (std::size_t i = 0; i < ids->size() && i < SearchIndex::kMost; ++i) {
    const auto id = SequenceId::parse((*ids)[i]);
    if (!id) return std::nullopt;
    found.push_back({*id, std::string((*names)[i])});
  }
  return found;
}

}  // namespace

std::unique_ptr<SearchStore::Job> PgSearchStore::load_entries(std::uint32_t after, std::size_t most,
                                                              Duration within, EntriesLoaded done) {
  auto batch = std::make_shared<SearchBatch>();
  auto work = [after, most, batch](PgSession& session) -> Result<void> {
    pqxx::nontransaction t(session.connection());
    *batch = {};
    for (const auto& row : t.exec(fmt::format(
             "SELECT e.number, e.name, e.terms, coalesce(b.refs, 0), e.flags "
             "FROM gatescope.entry e LEFT JOIN gatescope.backref b ON b.target = e.number "
             "WHERE e.number > {} ORDER BY e.number LIMIT {}",
             after, most))) {
      const auto flags = row[4].as<unsigned>();
      batch->add({.number = row[0].as<std::uint32_t>(),
                  .name = text(row[1]),
                  .terms = text(row[2]),
                  .refs = row[3].as<std::uint32_t>(),
                  .core = (flags & kCore) != 0,
                  .nice = (flags & kNice) != 0,
                  .dead = (flags & kDead) != 0});
    }
    return {};
  };
  return std::make_unique<SearchJob>(
      lane_.run(std::move(work), within, [batch, done = std::move(done)](Result<void> result) {
        if (!result) return done(result.error());
        done(std::move(*batch));
      }));
}

std::unique_ptr<SearchStore::Job> PgSearchStore::load_stamp(Duration within, StampLoaded done) {
  auto stamp = std::make_shared<std::string>();
  auto work = [stamp](PgSession& session) -> Result<void> {
    pqxx::nontransaction t(session.connection());
    // The newest transaction that wrote an entry, and how many there are.
    *stamp =
        text(t.exec("SELECT coalesce(max(xmin::text::bigint), 0) || ' ' || count(*) "
                    "FROM gatescope.entry")[0][0]);
    return {};
  };
  return std::make_unique<SearchJob>(
      lane_.run(std::move(work), within, [stamp, done = std::move(done)](Result<void> result) {
        if (!result) return done(result.error());
        done(std::move(*stamp));
      }));
}

std::unique_ptr<SearchStore::Job> PgSearchStore::load_search(const std::string& term,
                                                             Duration within, SearchLoaded done) {
  auto found = std::make_shared<std::optional<std::vector<FoundSequence>>>();
  auto work = [term, found](PgSession& session) -> Result<void> {
    pqxx::nontransaction t(session.connection());
    const auto rows = run(t, "load_search", term);
    if (!rows.empty()) *found = read_found(rows[0]);
    return {};
  };
  return std::make_unique<SearchJob>(
      lane_.run(std::move(work), within, [found, done = std::move(done)](Result<void> result) {
        if (!result) return done(result.error());
        done(std::move(*found));
      }));
}

void PgSearchStore::save_search(std::string term, std::vector<FoundSequence> found) {
  if (found.empty()) return;  // none, too many, or a failure: OEIS does not tell
  lane_.run_detached(
      "storing a search",
      [term = std::move(term), found = std::move(found)](PgSession& session) -> Result<void> {
        Terms ids, names;
        for (const auto& one : found) {
          ids.add(one.id.text());
          names.add(one.name);
        }
        pqxx::work t(session.connection());
        t.exec("SET LOCAL synchronous_commit = off");
        run(t, "save_search", term, format_pg_array(ids), format_pg_array(names), kMaxSearches);
        t.commit();
        return {};
      },
      kSaveSearchDeadline);
}

}  // namespace gatescope::api
