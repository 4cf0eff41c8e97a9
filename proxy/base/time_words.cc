#include "proxy/base/time_words.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

namespace gatescope {

std::string in_words(Duration time) {
  const auto say = [](std::int64_t count, std::string_view unit) {
    return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
  };
  const auto minutes = (time.count() + 30'000) / 60'000;
  if (minutes >= 2 * 24 * 60) return say(minutes / (24 * 60), "day");
  if (minutes >= 120) return say(minutes / 60, "hour");
  return say(std::max<std::int64_t>(minutes, 1), "minute");
}

std::string in_words(WallTime time) {
  const auto seconds = std::chrono::time_point_cast<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)));
}

}  // namespace gatescope
