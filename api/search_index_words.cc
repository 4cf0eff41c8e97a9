// How names are searched: SearchIndex::find_words().

#include <algorithm>
#include <bit>
#include <string_view>

#include "api/search_best.h"
#include "api/search_fold.h"
#include "api/search_index.h"
#include "api/search_ranking.h"
#include "proxy/base/text.h"

namespace gatescope::api {

namespace {

// Names that one pass compares: entries come in the order of their standing, so what is behind
// could only win by being named exactly so.
constexpr std::size_t kNamesCompared = 2000;
// Fewer are too little: typing errors are looked for, then names that lack a word.
constexpr std::size_t kTooFew = 5;
// A word that so few have may be an error, too, of those who wrote the name.
constexpr std::size_t kRareWord = 8;
constexpr std::size_t kShortestMistyped = 4;
constexpr float kMistyped = 3, kMissing = 4;  // what it costs

}  // namespace

/// One search. Lives on the stack of find_words().
class SearchIndex::WordSearch {
 public:
  WordSearch(const SearchIndex& index, const std::vector<SearchQuery::Word>& typed)
      : index_(index), typed_(typed) {
    for (const auto& word : typed) {
      WantedWord wanted;
      const std::string_view one = singular(word.text);
      wanted.exactly = index_.words_.exactly(one);
      wanted.any = wanted.exactly;
      if (word.open) add(wanted.any, index_.words_.beginning_with(word.text));
      wanted.optional = is_optional_word(one) || (word.open && begins_optional_word(word.text));
      const bool begun_letter = word.open && one.size() == 1 && !is_digit(one[0]);
      wanted.filler = is_filler_word(one) && !begun_letter;
      wanted_.push_back(std::move(wanted));
    }
    if (std::all_of(wanted_.begin(), wanted_.end(), [](const auto& w) { return w.optional; }))
      for (auto& wanted : wanted_)
        wanted.optional = false;
  }

  void run(std::vector<std::uint32_t>& found) {
    compare(wanted_, 0);
    if (best_.size() < kTooFew) {
      float cost = 0;
      for (std::size_t i = 0; i < wanted_.size(); ++i)
        cost += forgive(typed_[i], wanted_[i]);
      if (cost > 0) compare(wanted_, cost);
    }
    if (best_.size() == 0) leave_one_out();
    best_.append_to(found);
  }

 private:
  static void add(WordSet& to, const WordSet& more) {
    for (const auto& range : more.ranges) {
      // A beginning's range has the word itself in it.
      std::erase_if(to.ranges, [&](const auto& r) { return range.contains(r.begin); });
      to.ranges.push_back(range);
    }
  }

  /// Takes words that are nearly this one for it, if it is rare; what that costs.
  float forgive(const SearchQuery::Word& word, WantedWord& wanted) {
    const std::string_view one = singular(word.text);
    if (wanted.optional || one.size() < kShortestMistyped ||
        std::any_of(one.begin(), one.end(), is_digit) ||
        index_.words_.count(wanted.any) >= kRareWord) {
      return 0;
    }
    const WordSet near = index_.words_.nearly(one, word.open);
    add(wanted.any, near);
    if (!word.open) add(wanted.exactly, near);
    return near.empty() ? 0 : kMistyped;
  }

  void leave_one_out() {
    std::size_t required = 0;
    for (const auto& wanted : wanted_)
      required += wanted.optional ? 0 : 1;
    if (required < 2) return;
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (wanted_[i].optional) continue;
      auto fewer = wanted_;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      compare(fewer, kMissing);
    }
  }

  /// Offers the entries that have all required words.
  void compare(const std::vector<WantedWord>& wanted, float cost) {
    std::vector<const std::uint64_t*> sets;
    std::vector<std::unique_ptr<EntryBits>> own(wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i].optional) continue;
      if (wanted[i].any.empty()) return;
      sets.push_back(index_.words_.entries_of(wanted[i].any, own[i]));
    }
    const float best_fit = best_fit_of_words(wanted);
    std::size_t compared = 0;
    for (std::size_t i = 0; i < index_.words_.bit_words(); ++i) {
      std::uint64_t bits = ~std::uint64_t{0};
      for (const auto* set : sets)
        bits &= set[i];
      for (; bits != 0; bits &= bits - 1) {
        const auto entry =
            static_cast<std::uint32_t>(i * 64) + static_cast<std::uint32_t>(std::countr_zero(bits));
        const float standing = index_.standings_[entry] - cost;
        if (standing + best_fit <= best_.worst() || ++compared > kNamesCompared) return;
        const auto [begin, end] = index_.words_.tokens(entry);
        best_.offer(entry, standing + fit_of_words(wanted, begin, end));
      }
    }
  }

  const SearchIndex& index_;
  const std::vector<SearchQuery::Word>& typed_;
  std::vector<WantedWord> wanted_;
  BestEntries best_{kMost};
};

void SearchIndex::find_words(const std::vector<SearchQuery::Word>& words,
                             std::vector<std::uint32_t>& found) const {
  WordSearch(*this, words).run(found);
}

}  // namespace gatescope::api
