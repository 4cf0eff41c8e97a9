#pragma once

// By what search is judged: 60 queries and the entry that who types them expects first. Written
// before the ranking. 14 of them were named by the task and so belong to the half that may be
// tuned with; the others were dealt out at random. The second half is only looked at when the
// ranking is done: what it shows is mended for all queries or not at all.

#include <array>
#include <cstdint>
#include <string_view>

namespace gatescope::api {

struct ExpectedFirst {
  std::string_view term;
  std::uint32_t number;
};

inline constexpr std::array<ExpectedFirst, 30> kTuning{{
    {"prime numbers", 40},
    {"p", 40},
    {"fib", 45},
    {"fibonaci", 45},
    {"euler totient", 10},
    {"catalan numbers", 108},
    {"number of divisors", 5},
    {"triangular", 217},
    {"collatz", 6577},
    {"1,1,2,3,5,8", 45},
    {"3,1,4,1,5,9", 796},
    {"1 2 5 14 42", 108},
    {"a40", 40},
    {"A000045", 45},
    {"ramanujan tau", 594},
    {"twin primes", 1097},
    {"2^n - 1", 225},
    {"goldbach", 2375},
    {"look and say", 5150},
    {"squarefree", 5117},
    {"mobius", 8683},
    {"square root of 2", 2193},
    {"bell numbers", 110},
    {"factorial", 142},
    {"sum of digits", 7953},
    {"sum of divisors", 203},
    {"harmonic numbers", 1008},
    {"primorial", 2110},
    {"kolakoski", 2},
    {"palindromes", 2113},
}};

inline constexpr std::array<ExpectedFirst, 30> kJudging{{
    {"stirling numbers of the second kind", 8277},
    {"lucas", 32},
    {"pascal's triangle", 7318},
    {"2 1 3 4 7 11", 32},
    {"bernoulli", 27641},
    {"1,-1,-1,0,-1,1,-1,0,0,1", 8683},
    {"jacobsthal", 1045},
    {"zeta(3)", 2117},
    {"1,2,6,24,120", 142},
    {"recaman", 5132},
    {"odd numbers", 5408},
    {"motzkin", 1006},
    {"powers of 2", 79},
    {"squares", 290},
    {"thue-morse", 10060},
    {"partition numbers", 41},
    {"happy numbers", 7770},
    {"hofstadter", 5185},
    {"pentagonal numbers", 326},
    {"catlan", 108},
    {"decimal expansion of e", 1113},
    {"natural numbers", 27},
    {"triagnular", 217},
    {"composite numbers", 2808},
    {"golden ratio", 1622},
    {"0,1,1,2,4,7,13", 73},
    {"pi", 796},
    {"gray code", 3188},
    {"tribonacci", 73},
    {"derangements", 166},
}};

}  // namespace gatescope::api
