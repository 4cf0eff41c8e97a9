#include "api/factor/small_factors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace gatescope::factor {

namespace {

using U64 = std::uint64_t;
__extension__ using U128 = unsigned __int128;

constexpr unsigned kTrialLimit = 257;  // the next prime: below its square what is left is prime

constexpr auto kSmallPrimes = [] {
  std::array<std::uint16_t, 54> primes{};
  std::size_t count = 0;
  for (std::uint16_t n = 2; n < kTrialLimit; ++n) {
    bool prime = true;
    for (std::uint16_t d = 2; d * d <= n; ++d)
      prime = prime && n % d != 0;
    if (prime) primes[count++] = n;
  }
  return primes;
}();
static_assert(kSmallPrimes.back() == 251);

/// Arithmetic modulo an odd n without divisions: x stands for x * 2^64.
class Montgomery {
 public:
  explicit Montgomery(U64 n) : n_(n) {
    for (int i = 0; i < 6; ++i)  // Newton: the right bits double
      inverse_ *= 2 - n * inverse_;
    one_ = (U64{0} - n) % n;  // 2^64 mod n
    square_ = static_cast<U64>(static_cast<U128>(one_) * one_ % n);
  }
  U64 of(U64 x) const { return times(x % n_, square_); }
  U64 one() const { return one_; }
  U64 minus_one() const { return n_ - one_; }
  U64 times(U64 a, U64 b) const {
    const U128 product = static_cast<U128>(a) * b;
    const U64 q = static_cast<U64>(product) * inverse_;
    const U64 high = static_cast<U64>(product >> 64);
    const U64 subtract = static_cast<U64>((static_cast<U128>(q) * n_) >> 64);
    return high >= subtract ? high - subtract : high - subtract + n_;
  }
  U64 plus(U64 a, U64 b) const { return a >= n_ - b ? a - (n_ - b) : a + b; }
  U64 power(U64 base, U64 exponent) const {
    U64 result = one_;
    for (; exponent != 0; exponent >>= 1) {
      if ((exponent & 1) != 0) result = times(result, base);
      base = times(base, base);
    }
    return result;
  }

 private:
  U64 n_;
  U64 inverse_ = 1;  // of n modulo 2^64
  U64 one_ = 0;
  U64 square_ = 0;  // 2^128 mod n
};

// Seven bases that leave no strong pseudoprime below 2^64 (found by Jim Sinclair).
bool is_prime(U64 n, const Montgomery& mod) {
  constexpr std::array<U64, 7> kBases{2, 325, 9375, 28178, 450775, 9780504, 1795265022};
  const int twos = __builtin_ctzll(n - 1);
  const U64 odd = (n - 1) >> twos;
  return std::all_of(kBases.begin(), kBases.end(), [&](U64 base) {
    const U64 b = mod.of(base);
    if (b == 0) return true;
    U64 x = mod.power(b, odd);
    if (x == mod.one() || x == mod.minus_one()) return true;
    for (int i = 1; i < twos; ++i) {
      x = mod.times(x, x);
      if (x == mod.minus_one()) return true;
    }
    return false;
  });
}

/// Brent's variant of Pollard's rho. Precondition: n is odd, composite and no square.
U64 find_divisor(U64 n, const Montgomery& mod) {
  constexpr U64 kTogether = 128;  // differences multiplied before one gcd
  for (U64 c = 1;; ++c) {
    const U64 addend = mod.of(c);
    const auto step = [&](U64 x) { return mod.plus(mod.times(x, x), addend); };
    U64 y = mod.of(2), x = y, saved = y, product = mod.one(), divisor = 1;
    for (U64 length = 1; divisor == 1; length *= 2) {
      x = y;
      for (U64 i = 0; i < length; ++i)
        y = step(y);
      for (U64 done = 0; done < length && divisor == 1; done += kTogether) {
        saved = y;
        for (U64 i = std::min(kTogether, length - done); i > 0; --i) {
          y = step(y);
          product = mod.times(product, x > y ? x - y : y - x);
        }
        divisor = std::gcd(product, n);
      }
    }
    if (divisor == n) {  // two divisors came in one go: once more, singly
      do {
        saved = step(saved);
        divisor = std::gcd(x > saved ? x - saved : saved - x, n);
      } while (divisor == 1);
    }
    if (divisor != n) return divisor;
  }
}

U64 square_root(U64 n) {
  auto root = static_cast<U64>(std::sqrt(static_cast<double>(n)));
  while (root > 0xffffffff || root * root > n)
    --root;
  while (root < 0xffffffff && (root + 1) * (root + 1) <= n)
    ++root;
  return root;
}

/// n > 1 has no prime below kTrialLimit.
void split(U64 n, std::vector<U64>& primes) {
  if (n < U64{kTrialLimit} * kTrialLimit) {
    primes.push_back(n);
    return;
  }
  const Montgomery mod(n);
  if (is_prime(n, mod)) {
    primes.push_back(n);
    return;
  }
  const U64 root = square_root(n);
  const U64 divisor = root * root == n ? root : find_divisor(n, mod);
  split(divisor, primes);
  split(n / divisor, primes);
}

}  // namespace

std::vector<SmallPower> factor_small(std::uint64_t n) {
  std::vector<SmallPower> powers;
  if (n == 0) return powers;
  for (const std::uint64_t prime : kSmallPrimes) {
    if (prime * prime > n) break;
    unsigned exponent = 0;
    for (; n % prime == 0; n /= prime)
      ++exponent;
    if (exponent > 0) powers.push_back({prime, exponent});
  }
  if (n == 1) return powers;
  std::vector<std::uint64_t> primes;
  split(n, primes);
  std::sort(primes.begin(), primes.end());
  for (const std::uint64_t prime : primes) {
    if (!powers.empty() && powers.back().prime == prime) {
      ++powers.back().exponent;
    } else {
      powers.push_back({prime, 1});
    }
  }
  return powers;
}

}  // namespace gatescope::factor
