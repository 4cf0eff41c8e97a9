#include "api/search_ranking.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>

namespace gatescope::api {

namespace {

using Token = WordIndex::Token;
using Mask = std::uint32_t;  // one bit per word of the query

// Found by experiment on real names and queries.
constexpr float kPhrase = 2, kCoverage = 4;
constexpr float kFormulaPhrase = 6;  // letters and figures mean something only side by side
constexpr float kOnlyBegun = 0.8f;   // the last word is not finished
constexpr float kBegunPhrase = 0.7f;
constexpr float kLoosePhrase = 0.8f;  // with words between that say nothing
constexpr float kRealBefore = 0.8f;   // the name begins with something else
constexpr float kAtFront = 0.5f;      // the name begins with it
constexpr float kAside = 0.5f;        // a part of the name behind the first
constexpr float kFiller = 0.05f;      // a word that says nothing beside the others
constexpr float kScattered = 0.25f;   // the words stand in several parts

struct Matches {
  std::array<Mask, WordIndex::kMaxTokens> any, exact;
};

/// One part of a name. `any` and `exact`: of its tokens.
struct Part {
  const Token* tokens;
  const Mask* any;
  const Mask* exact;
  std::size_t size;
};

/// All words side by side in order: 1, less if the last is only begun; 0 if not.
float phrase(const Part& part, std::size_t words) {
  float best = 0;
  for (std::size_t i = 0; i + words <= part.size; ++i) {
    std::size_t n = 0;
    while (n < words && (part.any[i + n] >> n & 1) != 0)
      ++n;
    if (n < words) continue;
    const bool finished = (part.exact[i + n - 1] >> (n - 1) & 1) != 0;
    best = std::max(best, finished ? 1.0f : kBegunPhrase);
  }
  return best;
}

/// The same of the words that are not optional, and what says nothing may stand between.
float loose_phrase(const Part& part, Mask required) {
  float best = 0;
  for (std::size_t i = 0; i < part.size; ++i) {
    Mask left = required;
    bool finished = true;
    for (std::size_t k = i; k < part.size && left != 0; ++k) {
      const Mask next = left & (~left + 1);
      if ((part.any[k] & next) != 0) {
        finished = (part.exact[k] & next) != 0;
        left ^= next;
      } else if (k == i || !part.tokens[k].optional) {
        break;
      }
    }
    if (left == 0) best = std::max(best, kLoosePhrase * (finished ? 1.0f : kBegunPhrase));
  }
  return best;
}

/// `formula`: only letters and figures are wanted, so others count as well.
float coverage(const Part& part, Mask required, bool formula) {
  Mask any = 0, exact = 0;
  float others = 0;
  bool before = false;
  for (std::size_t i = 0; i < part.size; ++i) {
    any |= part.any[i];
    exact |= part.exact[i];
    if (part.any[i] != 0) continue;
    if (part.tokens[i].optional || (part.tokens[i].filler && !formula)) {
      others += kFiller;
      continue;
    }
    others += 1;
    if ((any & required) == 0) before = true;
  }
  const Mask matched = any & required;
  if (matched == 0) return 0;
  const bool in_main = part.tokens->in_main;
  float value = 1 / (1 + others);
  if ((exact & required) != matched) value *= kOnlyBegun;
  if (before) value *= kRealBefore;
  if (in_main && !before) value += kAtFront;
  if (!in_main) value *= kAside;
  if (matched != required) {
    value *= kScattered * static_cast<float>(std::popcount(matched)) /
             static_cast<float>(std::popcount(required));
  }
  return value;
}

/// Only letters and figures are wanted.
bool is_formula(const std::vector<WantedWord>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(),
                     [](const WantedWord& w) { return w.optional || w.filler; });
}

}  // namespace

float best_fit_of_words(const std::vector<WantedWord>& wanted) {
  return (is_formula(wanted) ? kFormulaPhrase : kPhrase) + kCoverage * (1 + kAtFront);
}

float standing(std::uint32_t number, std::uint32_t refs, bool core, bool nice, bool dead) {
  return std::log2(1.0f + static_cast<float>(refs)) -
         0.7f * std::log2(static_cast<float>(std::max(1u, number))) + (core ? 3.0f : 0.0f) +
         (nice ? 0.75f : 0.0f) - (dead ? 8.0f : 0.0f);
}

float fit_of_words(const std::vector<WantedWord>& wanted, const Token* begin, const Token* end) {
  Mask required = 0;
  for (std::size_t w = 0; w < wanted.size(); ++w)
    if (!wanted[w].optional) required |= Mask{1} << w;
  const bool formula = is_formula(wanted);
  Matches matches;
  const auto size = static_cast<std::size_t>(end - begin);
  for (std::size_t i = 0; i < size; ++i) {
    matches.any[i] = matches.exact[i] = 0;
    for (std::size_t w = 0; w < wanted.size(); ++w) {
      if (!wanted[w].any.contains(begin[i].word)) continue;
      matches.any[i] |= Mask{1} << w;
      if (wanted[w].exactly.contains(begin[i].word)) matches.exact[i] |= Mask{1} << w;
    }
  }
  float best_phrase = 0, best_coverage = 0;
  for (std::size_t i = 0; i < size;) {
    std::size_t next = i + 1;
    while (next < size && !begin[next].starts_part)
      ++next;
    const Part part{begin + i, matches.any.data() + i, matches.exact.data() + i, next - i};
    best_coverage = std::max(best_coverage, coverage(part, required, formula));
    best_phrase = std::max(best_phrase, phrase(part, wanted.size()));
    if (best_phrase < kLoosePhrase)
      best_phrase = std::max(best_phrase, loose_phrase(part, required));
    i = next;
  }
  return (formula ? kFormulaPhrase : kPhrase) * best_phrase + kCoverage * best_coverage;
}

float fit_of_run(std::uint32_t term) {
  if (term == 0) return 4;
  if (term <= 2) return 3;
  return term < 5 ? 1 : 0;
}

}  // namespace gatescope::api
