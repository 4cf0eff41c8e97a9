#pragma once

#include <cstdint>

#include "proxy/base/clock.h"

namespace gatescope::upstream {

/// proxy_limit_rate: how fast an upstream's answer is read. The first second's bytes at once.
class ReadPace {
 public:
  ReadPace() = default;
  /// `rate`: bytes a second; 0: no limit.
  ReadPace(std::uint64_t rate, MonoTime start) : rate_(rate), start_(start) {}
  /// For so long nothing is to be read after `received` bytes in all; 0: read on.
  Duration rest(std::uint64_t received, MonoTime now) const {
    if (rate_ == 0) return Duration(0);
    const auto due = Duration(static_cast<std::int64_t>(static_cast<double>(received) /
                                                        static_cast<double>(rate_) * 1000.0));
    const auto passed = std::chrono::floor<Duration>(now - start_) + Duration(1000);
    return due > passed ? due - passed : Duration(0);
  }

 private:
  std::uint64_t rate_ = 0;
  MonoTime start_{};
};

}  // namespace gatescope::upstream
