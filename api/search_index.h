#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/search.h"
#include "api/search_query.h"
#include "api/search_terms.h"
#include "api/search_words.h"

namespace gatescope::api {

/// What search must know of an entry.
struct SearchEntry {
  std::uint32_t number = 0;
  std::string_view name;
  std::string_view terms;  // "1,-1,2"
  std::uint32_t refs = 0;  // how many other entries mention it
  bool core = false, nice = false;
  bool dead = false;  // OEIS says that it is wrong, or there twice
};

/// All names and first terms in memory, best entries first. Immutable: shared by all that search,
/// on any threads; a new one takes its place.
class SearchIndex {
 public:
  class Builder;
  static constexpr std::size_t kMost = 10;

  /// What `term` may mean, best first, at most kMost: ids, then runs of terms or words in names,
  /// with typing errors forgiven where there is too little otherwise. Takes a bounded time.
  std::vector<FoundSequence> find(std::string_view term) const;
  std::size_t entries() const { return numbers_.size(); }
  std::size_t words() const { return words_.words(); }
  std::size_t terms() const { return terms_.terms(); }
  /// Memory, without what the allocator adds.
  std::size_t bytes() const;

 private:
  class WordSearch;
  SearchIndex() = default;
  void find_ids(const SearchQuery::Ids& ids, std::vector<std::uint32_t>& found) const;
  void find_run(const TermRun& run, std::vector<std::uint32_t>& found) const;
  void find_words(const std::vector<SearchQuery::Word>& words,
                  std::vector<std::uint32_t>& found) const;
  std::string_view name(std::uint32_t entry) const;

  // By entry, in the order of their standing
  std::vector<std::uint32_t> numbers_;
  std::vector<float> standings_;
  std::vector<std::uint32_t> name_ends_;
  std::string names_;
  WordIndex words_;
  TermIndex terms_;
  std::vector<std::uint32_t> entry_of_;  // by A-number; kNoEntry
};

/// Collects entries in any order; of two with the same number the last one counts. For one thread.
class SearchIndex::Builder {
 public:
  void add(const SearchEntry& entry);
  std::size_t entries() const { return entries_.size(); }
  /// Takes seconds for 390,000 entries. The builder is empty afterwards. Null: `stop` became true.
  std::shared_ptr<const SearchIndex> build(const std::atomic<bool>& stop);

 private:
  struct Entry {
    std::uint32_t number;
    float standing;
    std::uint32_t arrived;  // its place in terms_
    std::uint32_t block, name, name_size;
  };
  std::string_view name_of(const Entry& entry) const {
    return std::string_view(names_[entry.block]).substr(entry.name, entry.name_size);
  }
  std::vector<std::string> names_;  // blocks of about a megabyte
  TermIndex terms_;
  std::vector<Entry> entries_;
};

}  // namespace gatescope::api
