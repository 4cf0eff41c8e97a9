#pragma once

// The rows of the sample by the idea that computes them, and what those computations share. Only
// sequences.cc puts them together.

#include <cstddef>
#include <span>

#include "api/sample/sequences.h"

namespace gatescope::api::sample {

std::span<const SampleSequence> figurate_sequences();
std::span<const SampleSequence> recurrent_sequences();
std::span<const SampleSequence> counting_sequences();
std::span<const SampleSequence> arithmetic_sequences();
std::span<const SampleSequence> prime_sequences();
std::span<const SampleSequence> digit_sequences();
std::span<const SampleSequence> curious_sequences();

/// f(First), f(First + 1), ... for an f of long whose values fit the machine's integers.
template <long First, auto F>
SampleTerms values(std::size_t count) {
  SampleTerms terms;
  terms.reserve(count);
  for (long n = First; terms.size() < count; ++n)
    terms.emplace_back(F(n));
  return terms;
}

}  // namespace gatescope::api::sample
