#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/sim_client.h"

namespace gatescope::test {

/// How bad a simulated day is.
enum class SimWeather {
  Kind,   // harmless faults only: every request must be answered in full
  Cruel,  // everything
};

/// Drawn faults: each seed gets its own mixture.
SimFaults sim_faults(SimWeather weather, SimRandom& random);
std::string sim_text(SimRandom& random, std::size_t size);
/// What must be refused: 400, 414, 505, and a bad chunk behind a good head.
const std::vector<std::string>& sim_garbage();

/// Requests of a client and its manners. `request` draws one with the number it is to carry as its
/// first field; `until_close` is a path whose answer has neither length nor chunks.
SimClientPlan sim_plan(SimRandom& random, SimWeather weather, int first_number,
                       const std::function<SimRequest(int)>& request,
                       const std::string& until_close);

/// A number from the environment, to choose seeds from outside.
std::uint64_t sim_setting(const char* name, std::uint64_t otherwise);

}  // namespace gatescope::test
