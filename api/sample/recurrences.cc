// Every term a fixed combination of the ones right before it.

#include <algorithm>
#include <array>
#include <utility>

#include "api/sample/families.h"

namespace gatescope::api::sample {

namespace {

/// Start holds the first terms, Weights the factors of the previous term, of the one before it, ...
template <std::array Start, std::array Weights>
SampleTerms linear(std::size_t count) {
  static_assert(Start.size() == Weights.size());
  SampleTerms terms(Start.begin(), Start.end());
  terms.reserve(std::max(count, Start.size()));
  while (terms.size() < count) {
    mpz_class next = 0;
    for (std::size_t back = 0; back < Weights.size(); ++back)
      next += Weights[back] * terms[terms.size() - 1 - back];
    terms.push_back(std::move(next));
  }
  terms.resize(count);
  return terms;
}

const SampleSequence kRecurrencesRows[] = {
    {32, 0, "nonn,nice,easy,core",
     "Lucas numbers: start from 2 and 1, then always add the last two.",
     "Cf. A000045 (same rule from 0 and 1), A000129.", linear<std::array{2, 1}, std::array{1, 1}>},
    {45, 0, "nonn,core,nice,easy,hear",
     "Fibonacci numbers: start from 0 and 1, then always add the last two.",
     "Cf. A000032 (same rule from 2 and 1), A000073 (the last three), A007318 (shallow diagonals).",
     linear<std::array{0, 1}, std::array{1, 1}>},
    {73, 0, "nonn,easy,nice",
     "Tribonacci numbers: start from 0, 0 and 1, then always add the last three.",
     "Cf. A000045 (the last two), A000931.", linear<std::array{0, 0, 1}, std::array{1, 1, 1}>},
    {79, 0, "nonn,core,easy,nice", "Powers of two.",
     "Cf. A000244 (powers of three), A001045 (nearest to a third of these), A001511.",
     linear<std::array{1}, std::array{2}>},
    {129, 0, "nonn,easy,core,cofr,nice,frac",
     "Pell numbers: denominators of the best fractions for the square root of two.",
     "Cf. A000045, A001045 (weights exchanged).", linear<std::array{0, 1}, std::array{2, 1}>},
    {244, 0, "nonn,nice,easy,core", "Powers of three.", "Cf. A000079 (powers of two).",
     linear<std::array{1}, std::array{3}>},
    {931, 0, "nonn,easy,nice",
     "Padovan numbers: add the second and the third last; side lengths in a spiral of triangles.",
     "Cf. A000045 (a spiral of squares), A000073.",
     linear<std::array{1, 0, 0}, std::array{0, 1, 1}>},
    {1045, 0, "nonn,nice,easy,core,tabl",
     "Jacobsthal numbers: the last one plus twice the one before; powers of two shared in three.",
     "Cf. A000079, A000045, A000129.", linear<std::array{0, 1}, std::array{1, 2}>},
};

}  // namespace

std::span<const SampleSequence> recurrent_sequences() {
  return kRecurrencesRows;
}

}  // namespace gatescope::api::sample
