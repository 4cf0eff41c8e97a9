#include "api/search_words.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "api/search_fold.h"
#include "api/search_typing.h"

namespace gatescope::api {

namespace {

// A range of words with more entries has a bitmap: collecting so many takes some 20 microseconds.
constexpr std::size_t kCommon = 16'384;
constexpr std::size_t kMaxWords = (1u << 24) - 1;  // WordIndex::Token
constexpr std::size_t kNear = 8;

// With what many names begin and nobody's query does.
constexpr struct {
  std::string_view text;
  std::size_t words;
} kOpenings[] = {{"Decimal expansion of ", 3}, {"a(n) = ", 2}, {"a(n) is ", 3}};

std::uint64_t key_of(WordSet::Range range) {
  return std::uint64_t{range.begin} << 32 | range.end;
}

/// Follows the parts of a name: up to : ; or the end of a sentence; what stands in brackets is a
/// part of its own, and what goes on behind them belongs to what was before. The brackets of "d(n)"
/// part nothing.
class NameParts {
 public:
  /// What stands before the next word; `first`: there is none before.
  std::size_t pass(std::string_view gap, bool first) {
    for (std::size_t i = 0; i < gap.size(); ++i) {
      switch (gap[i]) {
        case '(':
          if (depth_ == open_.size()) break;
          open_[depth_++] = part_;
          if (i > 0 ? gap[i - 1] == ' ' : first) part_ = next_++;
          break;
        case ')':
          if (depth_ > 0) part_ = open_[--depth_];
          break;
        case '.':
          if (i + 1 < gap.size() && gap[i + 1] == ' ') part_ = next_++;
          break;
        case ':':
        case ';':
          part_ = next_++;
          break;
        default:
          break;
      }
    }
    return part_;
  }

 private:
  std::array<std::size_t, 8> open_{};
  std::size_t depth_ = 0, part_ = 0, next_ = 1;
};

}  // namespace

struct WordIndex::Part {
  std::size_t part;
  Token token;
};

void WordIndex::add(std::string_view name, std::string_view also) {
  std::vector<Part> found;
  std::size_t main_part = 0;
  bool has_main = false;
  std::size_t opening = 0;
  for (const auto& one : kOpenings)
    if (name.starts_with(one.text)) opening = one.words;
  const auto read = [&](std::string_view text, std::size_t offset) {
    WordReader reader(text);
    NameParts parts;
    for (bool first = true; found.size() < kMaxTokens && reader.next(); first = false) {
      const std::size_t part = offset + parts.pass(reader.gap(), first);
      const std::string_view word = singular(reader.word());
      auto known = ids_.find(word);
      if (known == ids_.end()) {
        if (ids_.size() == kMaxWords) continue;
        known = ids_.emplace(word, static_cast<WordId>(ids_.size())).first;
      }
      const bool opens = found.size() < opening;
      const bool filler = opens || is_filler_word(word);
      if (!filler && !has_main) {
        main_part = part;
        has_main = true;
      }
      Token token{};
      token.word = known->second & 0xFFFFFF;
      token.filler = filler;
      token.optional = opens || is_optional_word(word);
      found.push_back({part, token});
    }
  };
  read(name, 0);
  const std::size_t aliases = kMaxTokens;  // parts from here on
  if (!also.empty()) read(also, aliases);
  std::stable_sort(found.begin(), found.end(),
                   [](const Part& a, const Part& b) { return a.part < b.part; });
  for (std::size_t i = 0; i < found.size(); ++i) {
    Token& token = found[i].token;
    token.starts_part = i == 0 || found[i].part != found[i - 1].part;
    token.in_main = found[i].part == main_part || found[i].part >= aliases;
    tokens_.push_back(token);
  }
  token_ends_.push_back(static_cast<std::uint32_t>(tokens_.size()));
}

void WordIndex::build() {
  sort_words();
  make_postings();
  make_bitmaps(0, static_cast<WordId>(words()), 0);
  tokens_.shrink_to_fit();
  token_ends_.shrink_to_fit();
}

void WordIndex::sort_words() {
  std::vector<std::pair<std::string_view, WordId>> sorted;
  sorted.reserve(ids_.size());
  std::size_t letters = 0;
  for (const auto& [word, id] : ids_) {
    sorted.emplace_back(word, id);
    letters += word.size();
  }
  std::sort(sorted.begin(), sorted.end());
  std::vector<WordId> place(sorted.size());
  words_.reserve(letters);
  word_ends_.reserve(sorted.size());
  for (const auto& [word, id] : sorted) {
    place[id] = static_cast<WordId>(word_ends_.size());
    words_ += word;
    word_ends_.push_back(static_cast<std::uint32_t>(words_.size()));
  }
  for (Token& token : tokens_)
    token.word = place[token.word] & 0xFFFFFF;
  ids_ = {};
}

void WordIndex::make_postings() {
  constexpr std::uint32_t kNone = ~0u;
  std::vector<std::uint32_t> last(words(), kNone);
  const auto each = [&](const auto& use) {
    std::fill(last.begin(), last.end(), kNone);
    for (std::uint32_t entry = 0; entry < entries(); ++entry) {
      const auto [begin, end] = tokens(entry);
      for (const Token* t = begin; t != end; ++t) {
        if (std::exchange(last[t->word], entry) != entry) use(t->word, entry);
      }
    }
  };
  sums_.assign(words() + 1, 0);
  each([&](WordId word, std::uint32_t) { ++sums_[word + 1]; });
  std::partial_sum(sums_.begin(), sums_.end(), sums_.begin());
  auto next = sums_;
  postings_.resize(sums_.back());
  each([&](WordId word, std::uint32_t entry) { postings_[next[word]++] = entry; });
}

/// Of all common ranges of words that begin with the same letters, as those from `begin` to `end`
/// do with `length` of them.
void WordIndex::make_bitmaps(WordId begin, WordId end, std::size_t length) {
  const WordSet::Range range{begin, end};
  if (count(range) <= kCommon) return;
  if (length > 0) {
    const auto [place, added] = bitmaps_.try_emplace(key_of(range), entries());
    if (added) add_entries(range, place->second);
  }
  while (begin < end) {
    WordId next = begin + 1;
    if (word(begin).size() > length) {
      const char letter = word(begin)[length];
      while (next < end && word(next)[length] == letter)
        ++next;
      make_bitmaps(begin, next, length + 1);
    } else if (count({begin, next}) > kCommon) {  // the word that ends here
      const auto [place, added] = bitmaps_.try_emplace(key_of({begin, next}), entries());
      if (added) add_entries({begin, next}, place->second);
    }
    begin = next;
  }
}

std::string_view WordIndex::word(WordId id) const {
  const std::uint32_t begin = id == 0 ? 0 : word_ends_[id - 1];
  return std::string_view(words_).substr(begin, word_ends_[id] - begin);
}

WordSet WordIndex::exactly(std::string_view wanted) const {
  WordSet set = beginning_with(wanted);
  if (set.empty()) return set;
  auto& range = set.ranges[0];
  if (word(range.begin) != wanted) return {};
  range.end = range.begin + 1;  // shorter ones come first
  return set;
}

WordSet WordIndex::beginning_with(std::string_view beginning) const {
  const auto first = [&](WordId from, const auto& belongs) {
    WordId to = static_cast<WordId>(words());
    while (from < to) {
      const WordId middle = from + (to - from) / 2;
      if (belongs(word(middle)))
        to = middle;
      else
        from = middle + 1;
    }
    return from;
  };
  const WordId begin = first(0, [&](std::string_view w) { return w >= beginning; });
  const WordId end =
      first(begin, [&](std::string_view w) { return w.substr(0, beginning.size()) > beginning; });
  if (begin == end) return {};
  return {{{begin, end}}};
}

WordSet WordIndex::nearly(std::string_view wanted, bool begins) const {
  std::vector<WordId> near;
  for (WordId id = 0; id < words(); ++id) {
    const std::string_view w = word(id);
    if (one_edit(wanted, w, begins) || same_but_doubled(wanted, w, begins)) near.push_back(id);
  }
  const auto commoner = [this](WordId a, WordId b) {
    return count({a, a + 1}) > count({b, b + 1});
  };
  if (near.size() > kNear) {
    std::nth_element(near.begin(), near.begin() + kNear, near.end(), commoner);
    near.resize(kNear);
  }
  WordSet set;
  for (const WordId id : near)
    set.ranges.push_back({id, id + 1});
  return set;
}

std::size_t WordIndex::count(const WordSet& set) const {
  std::size_t sum = 0;
  for (const auto& range : set.ranges)
    sum += count(range);
  return sum;
}

void WordIndex::add_entries(WordSet::Range range, EntryBits& bits) const {
  for (std::uint32_t i = sums_[range.begin]; i < sums_[range.end]; ++i)
    bits.set(postings_[i]);
}

const std::uint64_t* WordIndex::entries_of(const WordSet& set,
                                           std::unique_ptr<EntryBits>& own) const {
  if (set.ranges.size() == 1) {
    const auto common = bitmaps_.find(key_of(set.ranges[0]));
    if (common != bitmaps_.end()) return common->second.data();
  }
  own = std::make_unique<EntryBits>(entries());
  for (const auto& range : set.ranges) {
    const auto common = bitmaps_.find(key_of(range));
    if (common == bitmaps_.end()) {
      add_entries(range, *own);
    } else {
      for (std::size_t i = 0; i < own->words(); ++i)
        own->data()[i] |= common->second.data()[i];
    }
  }
  return own->data();
}

std::size_t WordIndex::bytes() const {
  return tokens_.capacity() * sizeof(Token) + words_.capacity() +
         bitmaps_.size() * bit_words() * 8 +
         4 * (token_ends_.capacity() + word_ends_.capacity() + sums_.capacity() +
              postings_.capacity());
}

}  // namespace gatescope::api
