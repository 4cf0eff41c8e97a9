#pragma once

#include <string>
#include <vector>

#include "api/factor/factor_text.h"

namespace gatescope::factor {

/// PARI's memory: its stack begins with the first and may grow to the second. Products of two
/// primes of more than 30 digits take about 20 MB in all, so this bounds and does not hinder.
inline constexpr std::size_t kFirstStack = 8u << 20;
inline constexpr std::size_t kMostStack = 128u << 20;

/// Once, before anything else of this file. Takes 4 ms and 6 MB.
void start_pari();

/// Factors by PARI; primes above 2^64 are so by the BPSW test, as everywhere in PARI. Empty: it
/// could not (memory), and `error` says why; the next number may work.
std::vector<PrimePower> factor_big(const std::string& digits, std::string& error);

}  // namespace gatescope::factor
