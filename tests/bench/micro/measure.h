#pragma once

#include <string_view>

namespace gatescope::bench {

/// Something that is done many times.
class Operation {
 public:
  virtual ~Operation() = default;
  virtual void run() = 0;
};

/// Prints nanoseconds (median of some rounds, and the range) and allocations of one run().
void measure(std::string_view name, Operation& operation);

}  // namespace gatescope::bench
