#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/search.h"
#include "api/search_index.h"
#include "api/store.h"
#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace gatescope::api {

/// Some entries, as the index wants them: a few allocations for thousands. A value.
class SearchBatch {
 public:
  void add(const SearchEntry& entry) {
    rows_.push_back({entry, text_.size()});
    text_ += entry.name;
    text_ += entry.terms;
  }
  std::size_t size() const { return rows_.size(); }
  /// Points into the batch.
  SearchEntry operator[](std::size_t i) const {
    SearchEntry entry = rows_[i].entry;
    const std::string_view text = std::string_view(text_).substr(rows_[i].text);
    entry.terms = text.substr(entry.name.size(), entry.terms.size());
    entry.name = text.substr(0, entry.name.size());
    return entry;
  }

 private:
  struct Row {
    SearchEntry entry;  // of name and terms the lengths only
    std::size_t text;
  };
  std::string text_;
  std::vector<Row> rows_;
};

/// What search keeps in the database. As SequenceStore.
class SearchStore {
 public:
  using Job = SequenceStore::Job;
  using EntriesLoaded = std::function<void(Result<SearchBatch>)>;
  using StampLoaded = std::function<void(Result<std::string>)>;
  using SearchLoaded = std::function<void(Result<std::optional<std::vector<FoundSequence>>>)>;

  virtual ~SearchStore() = default;
  /// The first `most` entries whose number is above `after`, ascending.
  virtual std::unique_ptr<Job> load_entries(std::uint32_t after, std::size_t most, Duration within,
                                            EntriesLoaded done) = 0;
  /// Differs when entries were added, changed or removed since.
  virtual std::unique_ptr<Job> load_stamp(Duration within, StampLoaded done) = 0;
  /// What OEIS found once, at least one; nullopt: not known.
  virtual std::unique_ptr<Job> load_search(const std::string& term, Duration within,
                                           SearchLoaded done) = 0;
  /// Not when there are very many already. Failures are logged.
  virtual void save_search(std::string term, std::vector<FoundSequence> found) = 0;
};

}  // namespace gatescope::api
