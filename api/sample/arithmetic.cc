// Functions of the prime factors of n.

#include "api/sample/factorization.h"
#include "api/sample/families.h"

namespace gatescope::api::sample {

namespace {

/// The product of F(p, e) over the prime powers p^e of n.
template <auto F>
long product_over_powers(long n) {
  long product = 1;
  for (auto [prime, exponent] : prime_powers(n))
    product *= F(prime, exponent);
  return product;
}

template <auto F>
long sum_over_powers(long n) {
  long sum = 0;
  for (auto [prime, exponent] : prime_powers(n))
    sum += F(prime, exponent);
  return sum;
}

template <auto F>
constexpr auto multiplicative = values<1, product_over_powers<F>>;

template <auto F>
constexpr auto additive = values<1, sum_over_powers<F>>;

long power(long base, int exponent) {
  return exponent == 0 ? 1 : base * power(base, exponent - 1);
}

const SampleSequence kArithmeticRows[] = {
    {5, 1, "nonn,easy,core,nice,mult,hear", "How many numbers divide n.",
     "Cf. A000203 (their sum), A001221, A001222.",
     multiplicative<[](long, int e) { return e + 1; }>},
    {10, 1, "easy,core,nonn,mult,nice,hear",
     "Euler's totient: how many of 1 to n share no factor with n.", "Cf. A000203, A008683.",
     multiplicative<[](long p, int e) { return power(p, e - 1) * (p - 1); }>},
    {203, 1, "easy,core,nonn,nice,mult", "The sum of all divisors of n, n included.",
     "Cf. A000005 (their number), A000010.",
     multiplicative<[](long p, int e) { return (power(p, e + 1) - 1) / (p - 1); }>},
    {1221, 1, "nonn,easy,nice,core", "How many different primes divide n (small omega).",
     "Cf. A001222 (with repetition), A005117 (where both agree).",
     additive<[](long, int) { return 1; }>},
    {1222, 1, "nonn,easy,nice,core",
     "How many primes multiply to n, repeated ones counted again (big omega).",
     "Cf. A001221 (without repetition), A000040 (one factor), A002808 (several).",
     additive<[](long, int e) { return e; }>},
    {8683, 1, "core,sign,easy,mult,nice",
     "The Moebius function: 0 when a square divides n, else 1 or -1 by the parity of its primes.",
     "Cf. A005117 (where it is not 0), A001221, A000010.",
     multiplicative<[](long, int e) { return e == 1 ? -1 : 0; }>},
};

}  // namespace

std::span<const SampleSequence> arithmetic_sequences() {
  return kArithmeticRows;
}

}  // namespace gatescope::api::sample
