// Primes, and the numbers that are told apart by their primes.

#include <algorithm>

#include "api/sample/factorization.h"
#include "api/sample/families.h"

namespace gatescope::api::sample {

namespace {

/// The numbers from 1 on for which Holds is true.
template <auto Holds>
SampleTerms where(std::size_t count) {
  SampleTerms terms;
  terms.reserve(count);
  for (long n = 1; terms.size() < count; ++n)
    if (Holds(n)) terms.emplace_back(n);
  return terms;
}

bool is_prime(long n) {
  if (n < 2) return false;
  for (long d = 2; d * d <= n; ++d)
    if (n % d == 0) return false;
  return true;
}

bool is_composite(long n) {
  return n > 1 && !is_prime(n);
}

bool is_squarefree(long n) {
  return std::ranges::all_of(prime_powers(n), [](PrimePower power) { return power.exponent == 1; });
}

SampleTerms prime_gaps(std::size_t count) {
  SampleTerms primes = where<is_prime>(count + 1);
  SampleTerms gaps;
  gaps.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    gaps.emplace_back(primes[i + 1] - primes[i]);
  return gaps;
}

SampleTerms prime_count(std::size_t count) {
  SampleTerms terms;
  terms.reserve(count);
  long below = 0;
  for (long n = 1; terms.size() < count; ++n)
    terms.emplace_back(below += is_prime(n) ? 1 : 0);
  return terms;
}

const SampleSequence kPrimesRows[] = {
    {40, 1, "core,nonn,nice,easy", "Prime numbers: more than 1 and no product of smaller numbers.",
     "Cf. A002808 (the others), A000720 (how many up to n), A001223 (gaps).", where<is_prime>},
    {720, 1, "nonn,core,easy,nice", "How many primes there are up to n.", "Cf. A000040, A001223.",
     prime_count},
    {1223, 1, "nonn,nice,easy,hear", "Gaps from each prime to the next.", "Cf. A000040, A000720.",
     prime_gaps},
    {2808, 1, "nonn,nice,easy,core", "Composite numbers: products of two or more primes.",
     "Cf. A000040 (primes), A001222.", where<is_composite>},
    {5117, 1, "nonn,easy,nice,core", "Squarefree numbers: no prime divides them twice.",
     "Cf. A008683 (not 0 exactly here), A001221, A001222.", where<is_squarefree>},
};

}  // namespace

std::span<const SampleSequence> prime_sequences() {
  return kPrimesRows;
}

}  // namespace gatescope::api::sample
