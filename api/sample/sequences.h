#pragma once

// Forty-odd classical sequences that gatescope computes by itself, so that a fresh checkout has
// data to serve without a network and without a copy of the OEIS. The A-numbers, indices and
// keywords are those of https://oeis.org; the terms are computed here and the words are ours.

#include <gmpxx.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatescope::api {

using SampleTerms = std::vector<mpz_class>;

struct SampleSequence {
  int number;                 // 40 is A000040
  int first_index;            // the n of the first term
  std::string_view keywords;  // comma separated, the vocabulary of the OEIS
  std::string_view name;
  std::string_view related;  // a sentence naming only A-numbers of this sample

  /// The first `count` terms. Cheap for a few thousand, not meant for millions.
  SampleTerms (*terms)(std::size_t count);
};

/// All of them, by ascending number.
std::span<const SampleSequence> sample_sequences();

/// "A000040"
std::string sample_id(int number);

/// The second half of an OEIS offset: the position, counted from 1, of the first term with an
/// absolute value over 1; 1 when there is none.
std::size_t first_large_position(const SampleTerms& terms);

}  // namespace gatescope::api
