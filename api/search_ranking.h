#pragma once

#include <cstdint>
#include <vector>

#include "api/search_words.h"

namespace gatescope::api {

/// How much an entry is wanted whatever was typed: how many others mention it, how early it came,
/// and what OEIS's editors think of it.
float standing(std::uint32_t number, std::uint32_t refs, bool core, bool nice, bool dead);

/// A word of a query, and which words of names match it.
struct WantedWord {
  WordSet exactly;
  WordSet any;  // those, and if it may be a beginning all that begin so
  bool optional = false;
  bool filler = false;  // a letter or figure
};

/// How well a name fits, to be added to its standing. The more of the name is what was typed, in
/// its order and at its beginning, the better.
float fit_of_words(const std::vector<WantedWord>& wanted, const WordIndex::Token* begin,
                   const WordIndex::Token* end);
/// At most.
float best_fit_of_words(const std::vector<WantedWord>& wanted);

/// As fit_of_words() for a run that begins at the entry's term 0, 1, ...
float fit_of_run(std::uint32_t term);
inline constexpr float kBestRunFit = 4;

}  // namespace gatescope::api
