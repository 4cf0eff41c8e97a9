#pragma once

#include <chrono>
#include <cstdint>

namespace gatescope {

using Duration = std::chrono::milliseconds;

/// Monotonic, for deadlines. The zero point means nothing.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::microseconds>;

/// Time of day, UTC, for logs and headers.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// Time is a parameter: whoever needs it is handed a Clock by constructor. A Loop's clock stands
/// still within one turn (one reading per turn is enough and costs nothing); the simulated loop's
/// is virtual.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonoTime now() const = 0;
  virtual WallTime wall() const = 0;
};

/// The operating system's clocks, read anew at each call. For code outside a loop (commands, tests
/// of files).
class SystemClock final : public Clock {
 public:
  MonoTime now() const override;
  WallTime wall() const override;
};

}  // namespace gatescope
