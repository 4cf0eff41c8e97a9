#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/search_terms.h"

namespace gatescope::api {

/// What somebody typed, taken apart; more than one may be meant. A value.
struct SearchQuery {
  /// A-numbers from `first` to `last`, and before them `exact`, which may be in between.
  struct Ids {
    std::optional<std::uint32_t> exact;
    std::uint32_t first = 1, last = 0;  // none
  };
  struct Word {
    std::string text;   // as WordReader gives it
    bool open = false;  // the last one, perhaps not finished
  };
  static constexpr std::size_t kMaxWords = 12;  // further ones are ignored

  Ids ids;
  std::optional<TermRun> run;
  std::vector<Word> words;  // empty when it is a run of terms

  static SearchQuery parse(std::string_view term);
};

}  // namespace gatescope::api
