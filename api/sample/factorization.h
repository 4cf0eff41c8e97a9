#pragma once

#include <vector>

namespace gatescope::api::sample {

struct PrimePower {
  long prime;
  int exponent;
};

/// The prime powers of n, n >= 1, by ascending prime. Trial division: for the small n of the
/// sample.
inline std::vector<PrimePower> prime_powers(long n) {
  std::vector<PrimePower> powers;
  for (long p = 2; n > 1; ++p) {
    if (p * p > n) p = n;
    if (n % p != 0) continue;
    powers.push_back({p, 0});
    for (; n % p == 0; n /= p)
      ++powers.back().exponent;
  }
  return powers;
}

}  // namespace gatescope::api::sample
