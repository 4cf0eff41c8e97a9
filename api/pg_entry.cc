#include "api/pg_entry.h"

#include <algorithm>
#include <iterator>

#include "api/pg_array.h"
#include "api/pg_import_sql.h"
#include "api/pg_notify.h"
#include "api/pg_session.h"
#include "proxy/base/text.h"

namespace gatescope::api {

namespace {

std::vector<std::uint32_t> without(const std::vector<std::uint32_t>& from,
                                   const std::vector<std::uint32_t>& these) {
  std::vector<std::uint32_t> left;
  std::set_difference(from.begin(), from.end(), these.begin(), these.end(),
                      std::back_inserter(left));
  return left;
}

}  // namespace

Result<void> load_entry_row(PgSession& session, SequenceId id, std::optional<SeqEntry>& entry) {
  pqxx::nontransaction t(session.connection());
  const auto rows = run(t, "load_entry", id.number());
  entry.reset();
  if (rows.empty()) return {};
  const auto& row = rows[0];
  entry.emplace(SeqEntry{.id = id, .name = std::string(text(row[0]))});
  entry->offset = row[1].as<std::int64_t>();
  if (const auto terms = text(row[2]); !terms.empty()) {
    for (const auto term : split(terms, ','))
      entry->terms.add(term);
  }
  entry->xrefs = text(row[3]);
  entry->file = {.mtime = row[4].as<std::int64_t>(), .size = row[5].as<std::int64_t>()};
  return {};
}

bool save_entry_row(PgSession& session, const SeqEntry& entry, const std::string& instance) {
  // The same text of another tree is no news: gatescopes with a tree each would tell each other so
  // for ever.
  std::optional<SeqEntry> stored;
  if (auto loaded = load_entry_row(session, entry.id, stored); !loaded) return false;
  const bool news = !stored || stored->name != entry.name || stored->offset != entry.offset ||
                    stored->terms != entry.terms || stored->xrefs != entry.xrefs;
  pqxx::work t(session.connection());  // told to be stored: waits for the disk
  if (!t.exec(import_sql::kTrySave)[0][0].as<bool>()) return false;
  t.exec(import_sql::kOneSaveAtATime);
  const auto number = entry.id.number();
  std::vector<std::uint32_t> before;
  if (const auto rows = run(t, "load_mentions", number); !rows.empty())
    before = parse_pg_numbers(text(rows[0][0]));
  std::sort(before.begin(), before.end());
  run(t, "save_entry", number, entry.name, entry.offset, entry.terms.listed(), entry.xrefs,
      entry.file.mtime, entry.file.size, entry.flags(), format_pg_numbers(entry.mentions));
  const auto gone = without(before, entry.mentions), come = without(entry.mentions, before);
  if (!gone.empty()) run(t, "remove_mentions", number, format_pg_numbers(gone));
  if (!come.empty()) run(t, "add_mentions", number, format_pg_numbers(come));
  if (news) notify_changed(t, instance, entry.id);
  t.commit();
  return true;
}

}  // namespace gatescope::api
