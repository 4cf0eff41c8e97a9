#include <fmt/format.h>

#include <cstdlib>
#include <ctime>

#include "proxy/base/text.h"

namespace gatescope {
namespace {

constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::tm local(WallTime time) {
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm fields{};
  ::localtime_r(&seconds, &fields);
  return fields;
}

// "+0100" with an empty separator.
std::string zone(const std::tm& fields, std::string_view separator) {
  const long minutes = std::labs(fields.tm_gmtoff) / 60;
  return fmt::format("{}{:02}{}{:02}", fields.tm_gmtoff < 0 ? '-' : '+', minutes / 60, separator,
                     minutes % 60);
}

}  // namespace

std::string log_time_local(WallTime time) {
  const std::tm t = local(time);
  return fmt::format("{:02}/{}/{}:{:02}:{:02}:{:02} {}", t.tm_mday, kMonths[t.tm_mon],
                     t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec, zone(t, ""));
}

std::string log_time_iso8601(WallTime time) {
  const std::tm t = local(time);
  return fmt::format("{}-{:02}-{:02}T{:02}:{:02}:{:02}{}", t.tm_year + 1900, t.tm_mon + 1,
                     t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, zone(t, ":"));
}

std::string log_time_error(WallTime time) {
  const std::tm t = local(time);
  return fmt::format("{}/{:02}/{:02} {:02}:{:02}:{:02}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                     t.tm_hour, t.tm_min, t.tm_sec);
}

std::string log_time_syslog(WallTime time) {
  const std::tm t = local(time);
  return fmt::format("{} {:2} {:02}:{:02}:{:02}", kMonths[t.tm_mon], t.tm_mday, t.tm_hour, t.tm_min,
                     t.tm_sec);
}

std::string_view SecondText::at(WallTime time) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  if (second != second_) {
    second_ = second;
    text_ = make_(time);
  }
  return text_;
}

}  // namespace gatescope
