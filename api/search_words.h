#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proxy/base/text_map.h"

namespace gatescope::api {

using WordId = std::uint32_t;  // in alphabetical order, so a beginning is a range of them

/// Words that may stand for one that was typed.
struct WordSet {
  struct Range {
    WordId begin, end;
    bool contains(WordId id) const { return id >= begin && id < end; }
    bool operator==(const Range&) const = default;
  };
  std::vector<Range> ranges;
  bool contains(WordId id) const {
    for (const Range& range : ranges)
      if (range.contains(id)) return true;
    return false;
  }
  bool empty() const { return ranges.empty(); }
};

/// One bit per entry.
class EntryBits {
 public:
  explicit EntryBits(std::size_t entries) : words_((entries + 63) / 64) {}
  void set(std::uint32_t entry) { words_[entry / 64] |= std::uint64_t{1} << (entry % 64); }
  const std::uint64_t* data() const { return words_.data(); }
  std::uint64_t* data() { return words_.data(); }
  std::size_t words() const { return words_.size(); }

 private:
  std::vector<std::uint64_t> words_;
};

/// Which entries have which words, and in which order. Entries are numbered by the order in which
/// they are added. Immutable once built; thread-safe then.
class WordIndex {
 public:
  /// A word of a name, as it stands there.
  struct Token {
    WordId word : 24;
    std::uint32_t starts_part : 1;  // first word of a part of the name
    std::uint32_t in_main : 1;      // of the part that says what it is
    std::uint32_t filler : 1;       // says nothing about the sequence: is_filler_word(), and more
    std::uint32_t optional : 1;     // is_optional_word()
  };
  static constexpr std::size_t kMaxTokens = 250;  // of one entry; the rest is not searched

  /// The next entry's name, and what else it is called; empty: nothing.
  void add(std::string_view name, std::string_view also);
  /// After the last add().
  void build();

  std::size_t entries() const { return token_ends_.size(); }
  std::pair<const Token*, const Token*> tokens(std::uint32_t entry) const {
    const std::uint32_t begin = entry == 0 ? 0 : token_ends_[entry - 1];
    return {tokens_.data() + begin, tokens_.data() + token_ends_[entry]};
  }
  /// The word itself, already singular(); empty: nobody has it.
  WordSet exactly(std::string_view word) const;
  WordSet beginning_with(std::string_view beginning) const;
  /// Up to eight of the commonest words that are one typing error away; with `begins`, also the
  /// words that begin so.
  WordSet nearly(std::string_view word, bool begins) const;
  /// Sum of the entries that have each of them; one that has two counts twice.
  std::size_t count(const WordSet& words) const;
  /// The entries that have any of them. Points into the index or to `own`.
  const std::uint64_t* entries_of(const WordSet& words, std::unique_ptr<EntryBits>& own) const;
  std::size_t bit_words() const { return (entries() + 63) / 64; }
  std::size_t words() const { return word_ends_.size(); }
  std::size_t bytes() const;

 private:
  struct Part;
  std::string_view word(WordId id) const;
  void sort_words();
  void make_postings();
  void make_bitmaps(WordId begin, WordId end, std::size_t length);
  std::size_t count(WordSet::Range range) const { return sums_[range.end] - sums_[range.begin]; }
  void add_entries(WordSet::Range range, EntryBits& bits) const;

  std::vector<Token> tokens_;
  std::vector<std::uint32_t> token_ends_;  // by entry
  std::string words_;                      // one after the other
  std::vector<std::uint32_t> word_ends_;   // by word
  std::vector<std::uint32_t> sums_;        // entries of all words before, and in all
  std::vector<std::uint32_t> postings_;    // entries by word, ascending; at sums_
  /// Of ranges that would take long to collect: common words, short beginnings. By range.
  std::unordered_map<std::uint64_t, EntryBits> bitmaps_;

  // While it is being built
  TextMap<WordId> ids_;
};

}  // namespace gatescope::api
