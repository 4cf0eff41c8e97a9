#include "api/search_tree.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "api/oeisdata.h"

namespace gatescope::api {

namespace {

namespace fs = std::filesystem;

/// The ids of folder/seq/Annn/Annnnnn.seq, at most one more than kMost.
std::vector<SequenceId> list_tree(const std::string& folder) {
  std::vector<SequenceId> ids;
  std::error_code error;  // what cannot be read is not there
  for (fs::directory_iterator part(folder + "/seq", error), end; !error && part != end;
       part.increment(error)) {
    std::error_code inner;
    for (fs::directory_iterator file(part->path(), inner); !inner && file != end;
         file.increment(inner)) {
      const auto name = file->path().filename().string();
      if (!name.ends_with(".seq")) continue;
      const auto id = SequenceId::parse(std::string_view(name).substr(0, name.size() - 4));
      if (id) ids.push_back(*id);
      if (ids.size() > TreeEntries::kMost) return ids;
    }
  }
  return ids;
}

std::string joined(const Terms& terms) {
  std::string out;
  for (std::size_t i = 0; i < terms.size(); ++i)
    (out += i > 0 ? "," : "") += terms[i];
  return out;
}

}  // namespace

void TreeEntries::add_to(SearchIndex::Builder& builder, const std::string& folder,
                         const std::atomic<bool>& stop) {
  const auto ids = list_tree(folder);
  if (ids.size() > kMost) {
    problem = "search: \"" + folder +
              "\" has too many entries to be read at every start; import it: gatescope oeis import";
    return;
  }
  std::vector<SeqEntry> entries;
  for (const SequenceId id : ids) {
    if (stop) return;
    auto entry = read_oeisdata(folder, id, std::nullopt);
    if (!entry) problem = "search: " + entry.error().detail;
    if (!entry || !*entry) continue;
    (*entry)->xrefs.clear();
    entries.push_back(std::move(**entry));
  }
  for (const SeqEntry& entry : entries) {
    const std::string terms = joined(entry.terms);
    const auto has = [&entry](std::string_view keyword) {
      return std::find(entry.keywords.begin(), entry.keywords.end(), keyword) !=
             entry.keywords.end();
    };
    builder.add({.number = entry.id.number(),
                 .name = entry.name,
                 .terms = terms,
                 .core = has("core"),
                 .nice = has("nice"),
                 .dead = has("dead")});
  }
}

}  // namespace gatescope::api
