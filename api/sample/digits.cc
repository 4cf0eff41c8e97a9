// Digits: of famous constants in base ten, of n in base two.

#include <bit>

#include "api/sample/families.h"

namespace gatescope::api::sample {

namespace {

/// Fixed-point arithmetic is off by less than one unit for each operation, so ten digits more than
/// asked for are enough unless they happen to be all 0 or all 9.
constexpr unsigned long kGuardDigits = 10;

/// The leading digits of a fixed-point number whose unit is `one`.
SampleTerms leading_digits(const mpz_class& fixed, std::size_t count) {
  SampleTerms terms;
  terms.reserve(count);
  for (char digit : fixed.get_str().substr(0, count))
    terms.emplace_back(digit - '0');
  return terms;
}

mpz_class fixed_one(std::size_t digits) {
  mpz_class one;
  mpz_ui_pow_ui(one.get_mpz_t(), 10, digits + kGuardDigits);
  return one;
}

/// arctan(1/x) in units of 1/one.
mpz_class arctan_inverse(unsigned long x, const mpz_class& one) {
  mpz_class sum = 0;
  mpz_class power = one / x;
  for (unsigned long k = 1; power != 0; k += 2, power /= x * x) {
    if (k % 4 == 1) {
      sum += power / k;
    } else {
      sum -= power / k;
    }
  }
  return sum;
}

/// Machin, 1706: pi / 4 = 4 arctan(1/5) - arctan(1/239).
SampleTerms pi_digits(std::size_t count) {
  mpz_class one = fixed_one(count);
  return leading_digits(16 * arctan_inverse(5, one) - 4 * arctan_inverse(239, one), count);
}

/// e = 1/0! + 1/1! + 1/2! + ...
SampleTerms e_digits(std::size_t count) {
  mpz_class sum = 0;
  mpz_class term = fixed_one(count);
  for (unsigned long k = 1; term != 0; term /= k++)
    sum += term;
  return leading_digits(sum, count);
}

int ones(long n) {
  return std::popcount(static_cast<unsigned long>(n));
}

const SampleSequence kDigitsRows[] = {
    {120, 0, "nonn,easy,core,nice,hear,look", "How many digits of n in base two are 1.",
     "Cf. A010060 (odd or even), A001511, A000079 (where it is 1).", values<0, ones>},
    {796, 1, "cons,nonn,nice,core,easy", "Digits of pi, the circumference over the diameter.",
     "Cf. A001113 (digits of e).", pi_digits},
    {1113, 1, "nonn,cons,nice,core", "Digits of e, the base of natural logarithms.",
     "Cf. A000796 (digits of pi), A000142 (e is the sum of their inverses), A000166.", e_digits},
    {1511, 1, "mult,nonn,nice,easy,core,hear",
     "Marks on a ruler: one more than the number of times that 2 divides n.",
     "Cf. A000079, A000120.",
     values<1, [](long n) { return std::countr_zero(static_cast<unsigned long>(n)) + 1; }>},
    {10060, 0, "nonn,core,easy,nice",
     "Thue-Morse sequence: 1 when n in base two has an odd number of ones.",
     "Cf. A000120 (that number).", values<0, [](long n) { return ones(n) % 2; }>},
};

}  // namespace

std::span<const SampleSequence> digit_sequences() {
  return kDigitsRows;
}

}  // namespace gatescope::api::sample
