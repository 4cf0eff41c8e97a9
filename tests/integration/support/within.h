#pragma once

#include <chrono>
#include <thread>

namespace gatescope::integration {

// Long, because a run under sanitizers beside others on few cores is slow; whoever waits goes on as
// soon as it is so, hence a passing run never waits it out.
constexpr std::chrono::seconds kPatience{30};

/// Asks until `condition` holds. False: it did not within `patience`.
template <class Condition>
bool within(std::chrono::milliseconds patience, Condition&& condition) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace gatescope::integration
