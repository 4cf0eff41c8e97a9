// Simple rules with a life of their own.

#include <cstddef>
#include <unordered_set>
#include <vector>

#include "api/sample/families.h"

namespace gatescope::api::sample {

namespace {

int collatz_steps(long n) {
  int steps = 0;
  for (; n != 1; ++steps)
    n = n % 2 == 0 ? n / 2 : 3 * n + 1;
  return steps;
}

/// Writes each n as often as a(n) says. a(n) is always written by then: a block of n ends after n.
SampleTerms golomb(std::size_t count) {
  std::vector<std::size_t> written{1, 2, 2};
  for (std::size_t n = 3; written.size() < count; ++n)
    written.insert(written.end(), written[n - 1], n);
  return SampleTerms(written.begin(), written.begin() + static_cast<std::ptrdiff_t>(count));
}

SampleTerms recaman(std::size_t count) {
  SampleTerms terms;
  terms.reserve(count);
  std::unordered_set<long> visited;
  long here = 0;
  for (long step = 1; terms.size() < count; ++step) {
    terms.emplace_back(here);
    visited.insert(here);
    bool back = here > step && !visited.contains(here - step);
    here += back ? -step : step;
  }
  return terms;
}

const SampleSequence kCuriousRows[] = {
    {1462, 1, "easy,nonn,nice,core",
     "Golomb's sequence: never decreasing, and n stands in it a(n) times.", "Cf. A005132.", golomb},
    {5132, 0, "nonn,nice,hear,look",
     "Recaman's walk: step n goes back when that place is positive and new, else forward.",
     "Cf. A000217 (always forward).", recaman},
    {6577, 1, "nonn,nice,easy,hear,look",
     "Collatz steps: halve even numbers, triple odd ones and add 1, until 1 comes.",
     "Cf. A000079 (where only halving is needed).", values<1, collatz_steps>},
};

}  // namespace

std::span<const SampleSequence> curious_sequences() {
  return kCuriousRows;
}

}  // namespace gatescope::api::sample
