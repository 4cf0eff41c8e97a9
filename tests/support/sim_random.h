#pragma once

#include <cstdint>

namespace gatescope::test {

/// Seeded numbers (splitmix64). Own, because the distributions of <random> differ between libraries
/// and a seed in a bug report must mean the same everywhere. A value; copying forks the sequence.
class SimRandom {
 public:
  explicit SimRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  /// From min to max, both included.
  std::uint64_t between(std::uint64_t min, std::uint64_t max) {
    return max <= min ? min : min + next() % (max - min + 1);
  }
  bool chance(double probability) {
    if (probability <= 0) return false;  // takes no number: an absent fault changes no sequence
    return static_cast<double>(next() >> 11) * 0x1p-53 < probability;
  }

 private:
  std::uint64_t state_;
};

}  // namespace gatescope::test
