#pragma once

#include <cstdint>
#include <vector>

namespace gatescope::factor {

struct SmallPower {
  std::uint64_t prime;
  unsigned exponent;
  bool operator==(const SmallPower&) const = default;
};

/// The prime powers of n, ascending; none of 0 and 1. Proven for every n: trial division, then
/// Miller-Rabin with bases that suffice below 2^64, and Pollard's rho. A few hundred microseconds
/// for the product of two primes of ten digits, a few for most numbers.
std::vector<SmallPower> factor_small(std::uint64_t n);

}  // namespace gatescope::factor
