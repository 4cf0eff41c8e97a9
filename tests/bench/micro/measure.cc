#include "tests/bench/micro/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

// The one thing here that cannot be handed over: operator new has no parameter for it.
std::uint64_t allocations = 0;

}  // namespace

void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* const memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace gatescope::bench {

namespace {

using SteadyClock = std::chrono::steady_clock;

double nanoseconds_of(Operation& operation, std::uint64_t times) {
  const auto begin = SteadyClock::now();
  for (std::uint64_t i = 0; i < times; ++i)
    operation.run();
  return std::chrono::duration<double, std::nano>(SteadyClock::now() - begin).count();
}

}  // namespace

void measure(std::string_view name, Operation& operation) {
  constexpr double kRound =
      30e6;  // nanoseconds: long beside the clock, short beside other programs
  std::uint64_t times = 1;
  while (nanoseconds_of(operation, times) < kRound)
    times *= 2;
  std::array<double, 11> rounds;
  const std::uint64_t before = allocations;
  for (auto& round : rounds)
    round = nanoseconds_of(operation, times) / static_cast<double>(times);
  const double each =
      static_cast<double>(allocations - before) / static_cast<double>(times * rounds.size());
  std::sort(rounds.begin(), rounds.end());
  fmt::print("    {:44} {:8.1f} ns ({:.1f} to {:.1f})  {:.2f} allocations\n", name,
             rounds[rounds.size() / 2], rounds.front(), rounds.back(), each);
}

}  // namespace gatescope::bench
