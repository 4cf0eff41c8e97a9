#include "proxy/base/clock.h"

namespace gatescope {

MonoTime SystemClock::now() const {
  return std::chrono::time_point_cast<MonoTime::duration>(std::chrono::steady_clock::now());
}

WallTime SystemClock::wall() const {
  return std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now());
}

}  // namespace gatescope
