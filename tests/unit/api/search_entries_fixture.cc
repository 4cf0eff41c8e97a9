#include <algorithm>
#include <iterator>

#include "tests/unit/api/search_entries.h"

namespace gatescope::api {

namespace {

struct RealEntry {
  std::uint32_t number;
  std::string_view name;
  std::string_view terms;
  std::uint32_t refs;
  bool core = false;
};

constexpr RealEntry kRealEntries[] = {
    {2,
     "Kolakoski sequence: a(n) is length of n-th run; a(1) = 1; sequence consists just of 1's "
     "and 2's.",
     "1,2,2,1,1,2,1,2,2,1,2,2,1,1,2,1,1,2,2,1", 300, true},
    {5, "d(n) (also called tau(n) or sigma_0(n)), the number of divisors of n.",
     "1,2,2,3,2,4,2,4,3,4,2,6,2,4,4,5,2,6,2,6", 5000, true},
    {10, "Euler totient function phi(n): count numbers <= n and prime to n.",
     "1,1,2,2,4,2,6,4,6,4,10,4,12,6,8,8,16,6,18,8", 4000, true},
    {27,
     "The positive integers. Also called the natural numbers, the whole numbers or the counting "
     "numbers, but these terms are ambiguous.",
     "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15", 2000, true},
    {32, "Lucas numbers beginning at 2: L(n) = L(n-1) + L(n-2), L(0) = 2, L(1) = 1.",
     "2,1,3,4,7,11,18,29,47,76,123,199", 1500, true},
    {40, "The prime numbers.", "2,3,5,7,11,13,17,19,23,29,31,37,41,43,47", 10000, true},
    {41, "a(n) is the number of partitions of n (the partition numbers).",
     "1,1,2,3,5,7,11,15,22,30,42,56,77,101,135", 4000, true},
    {45, "Fibonacci numbers: F(n) = F(n-1) + F(n-2) with F(0) = 0 and F(1) = 1.",
     "0,1,1,2,3,5,8,13,21,34,55,89,144,233", 6000, true},
    {73,
     "Tribonacci numbers: a(n) = a(n-1) + a(n-2) + a(n-3) for n >= 3 with a(0) = a(1) = 0 and "
     "a(2) = 1.",
     "0,0,1,1,2,4,7,13,24,44,81,149,274", 400, true},
    {79, "Powers of 2: a(n) = 2^n.", "1,2,4,8,16,32,64,128,256,512,1024", 5000, true},
    {108, "Catalan numbers: C(n) = binomial(2n,n)/(n+1) = (2n)!/(n!(n+1)!).",
     "1,1,2,5,14,42,132,429,1430,4862", 4000, true},
    {110, "Bell or exponential numbers: number of ways to partition a set of n labeled elements.",
     "1,1,2,5,15,52,203,877,4140,21147", 2000, true},
    {142,
     "Factorial numbers: n! = 1*2*3*4*...*n (order of symmetric group S_n, number of "
     "permutations of n letters).",
     "1,1,2,6,24,120,720,5040,40320", 5000, true},
    {166,
     "Subfactorial or rencontres numbers, or derangements: number of permutations of n elements "
     "with no fixed points.",
     "1,0,1,2,9,44,265,1854,14833", 600, true},
    {203, "a(n) = sigma(n), the sum of the divisors of n. Also called sigma_1(n).",
     "1,3,4,7,6,12,8,15,13,18,12,28", 5000, true},
    {217, "Triangular numbers: a(n) = binomial(n+1,2) = n*(n+1)/2 = 0 + 1 + 2 + ... + n.",
     "0,1,3,6,10,15,21,28,36,45,55", 5000, true},
    {225,
     "a(n) = 2^n - 1. (Sometimes called Mersenne numbers, although that name is usually reserved "
     "for A001348.)",
     "0,1,3,7,15,31,63,127,255,511", 3000, true},
    {290, "The squares: a(n) = n^2.", "0,1,4,9,16,25,36,49,64,81,100", 5000, true},
    {326, "Pentagonal numbers: a(n) = n*(3*n-1)/2.", "0,1,5,12,22,35,51,70,92,117", 700, true},
    {594, "Ramanujan's tau function (or Ramanujan numbers, or tau numbers).",
     "1,-24,252,-1472,4830,-6048,-16744", 300, true},
    {720,
     "pi(n), the number of primes <= n. Sometimes called PrimePi(n) to distinguish it from the "
     "number 3.14159...",
     "0,1,2,2,3,3,4,4,4,4,5,5,6,6", 3000, true},
    {796, "Decimal expansion of Pi (or digits of Pi).", "3,1,4,1,5,9,2,6,5,3,5,8,9,7,9,3", 1000,
     true},
    {1006,
     "Motzkin numbers: number of ways of drawing any number of nonintersecting chords joining n "
     "(labeled) points on a circle.",
     "1,1,2,4,9,21,51,127,323,835", 700, true},
    {1008, "a(n) = numerator of harmonic number H(n) = Sum_{i=1..n} 1/i.",
     "1,3,11,25,137,49,363,761", 600, true},
    {1045,
     "Jacobsthal sequence (or Jacobsthal numbers): a(n) = a(n-1) + 2*a(n-2), with a(0) = 0, a(1) "
     "= 1; also a(n) = nearest integer to 2^n/3.",
     "0,1,1,3,5,11,21,43,85,171", 900, true},
    {1097, "Twin primes.", "3,5,7,11,13,17,19,29,31,41,43", 500, true},
    {1113, "Decimal expansion of e.", "2,7,1,8,2,8,1,8,2,8,4,5,9,0,4,5", 700, true},
    {1359, "Lesser of twin primes.", "3,5,11,17,29,41,59,71,101,107", 900, true},
    {1622, "Decimal expansion of golden ratio phi (or tau) = (1 + sqrt(5))/2.",
     "1,6,1,8,0,3,3,9,8,8,7,4,9", 900, true},
    {2110,
     "Primorial numbers (first definition): product of first n primes. Sometimes written "
     "prime(n)#.",
     "1,2,6,30,210,2310,30030,510510", 1500, true},
    {2113, "Palindromes in base 10.", "0,1,2,3,4,5,6,7,8,9,11,22,33,44", 900, true},
    {2117,
     "Apéry's number or Apéry's constant zeta(3). Decimal expansion of zeta(3) = Sum_{m >= 1} "
     "1/m^3.",
     "1,2,0,2,0,5,6,9,0,3,1,5,9", 500},
    {2193, "Decimal expansion of square root of 2.", "1,4,1,4,2,1,3,5,6,2,3,7", 300},
    {2322,
     "Reduced totient function psi(n): least k such that x^k == 1 (mod n) for all x prime to n; "
     "also known as the Carmichael lambda function.",
     "1,1,2,2,4,2,6,2,6,4,10,2,12", 400, true},
    {2375,
     "From Goldbach conjecture: number of decompositions of 2n into an unordered sum of two odd "
     "primes.",
     "0,0,1,1,2,1,2,2,2,2,3,3,3,2", 250, true},
    {2808, "The composite numbers: numbers n of the form x*y for x > 1 and y > 1.",
     "4,6,8,9,10,12,14,15,16,18,20,21", 2000, true},
    {3188, "Decimal equivalent of Gray code for n.", "0,1,3,2,6,7,5,4,12,13,15,14", 400},
    {5117, "Squarefree numbers: numbers that are not divisible by a square greater than 1.",
     "1,2,3,5,6,7,10,11,13,14,15,17,19", 2500, true},
    {5132,
     "Recamán's sequence (or Recaman's sequence): a(0) = 0; for n > 0, a(n) = a(n-1) - n if "
     "nonnegative and not already in the sequence, otherwise a(n) = a(n-1) + n.",
     "0,1,3,6,2,7,13,20,12,21,11,22", 200},
    {5150, "Look and Say sequence: describe the previous term! (method A - initial term is 1).",
     "1,11,21,1211,111221,312211,13112221", 200},
    {5185, "Hofstadter Q-sequence: a(1) = a(2) = 1; a(n) = a(n-a(n-1)) + a(n-a(n-2)) for n > 2.",
     "1,1,2,3,3,4,5,5,6,6,6,8,8,8", 150},
    {5408, "The odd numbers: a(n) = 2*n + 1.", "1,3,5,7,9,11,13,15,17,19,21", 2500, true},
    {6577,
     "Number of halving and tripling steps to reach 1 in '3x+1' problem, or -1 if 1 is never "
     "reached.",
     "0,1,7,2,5,8,16,3,19,6,14,9", 400},
    {7318, "Pascal's triangle read by rows: C(n,k) = binomial(n,k) = n!/(k!*(n-k)!), 0 <= k <= n.",
     "1,1,1,1,2,1,1,3,3,1,1,4,6,4,1", 3000, true},
    {7770,
     "Happy numbers: numbers whose trajectory under iteration of sum of squares of digits map "
     "(see A003132) includes 1.",
     "1,7,10,13,19,23,28,31,32,44,49", 200},
    {7953, "Digital sum (i.e., sum of digits) of n; also called digsum(n).",
     "0,1,2,3,4,5,6,7,8,9,1,2,3,4,5", 2000},
    {8277, "Triangle of Stirling numbers of the second kind, S2(n,k), n >= 1, 1 <= k <= n.",
     "1,1,1,1,3,1,1,7,6,1,1,15,25,10,1", 700, true},
    {8683,
     "Möbius (or Moebius) function mu(n). mu(1) = 1; mu(n) = (-1)^k if n is the product of k "
     "different primes; otherwise mu(n) = 0.",
     "1,-1,-1,0,-1,1,-1,0,0,1,-1,0,-1,1,1", 2000, true},
    {10060,
     "Thue-Morse sequence: let A_k denote the first 2^k terms; then A_0 = 0 and for k >= 0, "
     "A_{k+1} = A_k B_k, where B_k is obtained from A_k by interchanging 0's and 1's.",
     "0,1,1,0,1,0,0,1,1,0,0,1,0,1,1,0", 600, true},
    {27641, "Numerator of Bernoulli number B_n.", "1,-1,1,0,-1,0,1,0,-1,0,5,0,-691", 400},
};

/// What each of these is put into, with a few mentions at most.
constexpr std::string_view kFrames[] = {
    "Numbers k such that k and the k-th of the # have the same sum of digits.",
    "Partial sums of #.",
    "# that are palindromes in base 3.",
    "a(n) = n-th term of # squared, minus the number of divisors of n.",
    "Number of # less than 10^n.",
    "Triangle read by rows: T(n,k) is the number of # with k even parts (n >= 1).",
    "Inverse binomial transform of #.",
    "#-like sequence beginning 3, 4.",
    "Decimal expansion of the sum of reciprocals of #.",
    "Product of consecutive #: a(n) = b(n)*b(n+1).",
};

constexpr std::string_view kTopics[] = {
    "primes",
    "Fibonacci numbers",
    "Catalan numbers",
    "divisors",
    "totients",
    "triangular numbers",
    "Collatz steps",
    "Ramanujan primes",
    "twin prime pairs",
    "Goldbach partitions",
    "Look and Say terms",
    "squarefree semiprimes",
    "Moebius values",
    "square roots",
    "Bell polynomials",
    "factorials",
    "digit sums",
    "harmonic means",
    "primorials",
    "Kolakoski runs",
    "palindromes",
    "Stirling numbers",
    "Lucas numbers",
    "Pascal triangle rows",
    "Bernoulli numbers",
    "Jacobsthal numbers",
    "zeta values",
    "Recaman terms",
    "odd numbers",
    "Motzkin paths",
    "powers of 2",
    "squares",
    "Thue-Morse words",
    "partition numbers",
    "happy numbers",
    "Hofstadter sequences",
    "pentagonal numbers",
    "natural numbers",
    "composite numbers",
    "golden ratio powers",
    "Pi digits",
    "Gray codes",
    "tribonacci numbers",
    "derangements",
};

std::string framed(std::string_view frame, std::string_view topic) {
  const auto place = frame.find('#');
  return std::string(frame.substr(0, place)) + std::string(topic) +
         std::string(frame.substr(place + 1));
}

/// A run that begins like a classic one and goes on otherwise, or has it further behind.
std::string disturbed(std::string_view terms, unsigned kind) {
  switch (kind % 3) {
    case 0:
      return "7," + std::string(terms) + ",99";
    case 1:
      return std::string(terms.substr(0, terms.rfind(','))) + ",4";
    default:
      return "1,0,5,8,0,2," + std::string(terms);
  }
}

}  // namespace

std::vector<TestEntry> search_test_entries() {
  std::vector<TestEntry> all;
  unsigned made = 0;
  for (const auto topic : kTopics) {
    for (const auto frame : kFrames) {
      const auto& like = kRealEntries[made % std::size(kRealEntries)];
      all.push_back({.number = 900'001 + made,
                     .name = framed(frame, topic),
                     .terms = disturbed(like.terms, made),
                     .refs = made % 4});
      ++made;
    }
  }
  for (const auto& real : kRealEntries) {
    all.push_back({.number = real.number,
                   .name = std::string(real.name),
                   .terms = std::string(real.terms),
                   .refs = real.refs,
                   .core = real.core});
  }
  return all;
}

}  // namespace gatescope::api
