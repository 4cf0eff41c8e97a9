#include "api/pg_metadata.h"

#include <algorithm>

#include "api/pg_array.h"
#include "api/pg_session.h"

namespace gatescope::api {

namespace {

std::vector<SequenceId> ids_of_numbers(std::string_view array) {
  auto numbers = parse_pg_numbers(array);
  std::sort(numbers.begin(), numbers.end());  // single entries come behind the others
  std::vector<SequenceId> ids;
  ids.reserve(numbers.size());
  for (const auto number : numbers)
    if (number <= SequenceId::kLargest) ids.emplace_back(number);
  return ids;
}

/// What the old service stored: A-numbers as ripgrep found them, in no order.
std::vector<SequenceId> ids_of_texts(std::string_view array) {
  std::vector<SequenceId> ids;
  const auto texts = parse_pg_array(array);
  for (std::size_t i = 0; texts && i < texts->size(); ++i)
    if (const auto id = SequenceId::parse((*texts)[i])) ids.push_back(*id);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace

Result<void> load_metadata_row(PgSession& session, SequenceId id,
                               std::optional<Metadata>& metadata) {
  pqxx::nontransaction t(session.connection());
  const auto rows = run(t, "load_metadata", id.number(), id.text());
  metadata.reset();
  const auto& row = rows[0];
  const auto name = row[0], xrefs = row[1], imported = row[2], sources = row[3];
  const auto old_name = row[4], old_xrefs = row[5], old_backrefs = row[6];
  Metadata found{.imported = !imported.is_null() && imported.as<bool>()};
  if (!text(name).empty())
    found.name = std::string(text(name));
  else if (!text(old_name).empty() && text(old_name) != placeholder_name(id))
    found.name = std::string(text(old_name));
  // A single entry, read because somebody asked for it, says nothing of who mentions it.
  const bool old = !found.imported && !(old_xrefs.is_null() && old_backrefs.is_null());
  found.xrefs = std::string(text(old && text(xrefs).empty() ? old_xrefs : xrefs));
  found.backrefs = old && !old_backrefs.is_null() ? ids_of_texts(text(old_backrefs))
                                                  : ids_of_numbers(text(sources));
  if (!name.is_null() || !sources.is_null() || found.name || old) metadata = std::move(found);
  return {};
}

}  // namespace gatescope::api
