#include "proxy/http/expires.h"

#include <fmt/format.h>

#include <ctime>

#include "proxy/base/text.h"

namespace gatescope::http {
namespace {

constexpr std::int64_t kDay = 24 * 60 * 60;

Error invalid_time(std::string_view what) {
  return make_error(ErrorKind::Invalid, Origin::Internal, std::string(what));
}

/// The next moment at which a local clock shows so many seconds since midnight.
std::int64_t next_time(std::int64_t now, std::int64_t since_midnight) {
  const std::time_t at = static_cast<std::time_t>(now);
  std::tm local{};
  ::localtime_r(&at, &local);
  const auto of_day = [&](int day) {
    std::tm tm = local;
    tm.tm_mday += day;
    tm.tm_hour = static_cast<int>(since_midnight / 3600);
    tm.tm_min = static_cast<int>(since_midnight / 60 % 60);
    tm.tm_sec = static_cast<int>(since_midnight % 60);
    tm.tm_isdst = -1;
    return static_cast<std::int64_t>(std::mktime(&tm));
  };
  const auto today = of_day(0);
  return today > now ? today : of_day(1);
}

}  // namespace

Result<Expires> Expires::parse(std::string_view text, bool modified) {
  if (!modified) {
    if (text == "epoch") return Expires{Kind::Epoch, 0};
    if (text == "max") return Expires{Kind::Max, 0};
    if (text == "off") return Expires{Kind::Off, 0};
    if (text.starts_with('@')) {
      const auto time = parse_duration(text.substr(1));
      if (!time) return invalid_time("invalid value");
      const std::int64_t seconds = time->count() / 1000;
      if (seconds > kDay) return invalid_time("daily time value must be less than 24 hours");
      return Expires{Kind::Daily, seconds};
    }
  }
  const bool minus = text.starts_with('-');
  if (minus || text.starts_with('+')) text.remove_prefix(1);
  const auto time = parse_duration(text);
  if (!time || time->count() % 1000 != 0) return invalid_time("invalid value");
  const std::int64_t seconds = time->count() / 1000;
  return Expires{modified ? Kind::Modified : Kind::Access, minus ? -seconds : seconds};
}

std::optional<ExpiresFields> expires_fields(const Expires& rule, std::int64_t now,
                                            std::optional<std::int64_t> last_modified) {
  using Kind = Expires::Kind;
  switch (rule.kind) {
    case Kind::Off:
      return std::nullopt;
    case Kind::Epoch:
      return ExpiresFields{"Thu, 01 Jan 1970 00:00:01 GMT", "no-cache"};
    case Kind::Max:
      return ExpiresFields{"Thu, 31 Dec 2037 23:55:55 GMT", "max-age=315360000"};
    default:
      break;
  }
  if (rule.seconds == 0 && rule.kind != Kind::Daily)
    return ExpiresFields{http_date(now), "max-age=0"};
  std::int64_t until = now + rule.seconds;
  if (rule.kind == Kind::Daily) until = next_time(now, rule.seconds);
  if (rule.kind == Kind::Modified && last_modified) until = *last_modified + rule.seconds;
  const std::int64_t age = until - now;
  return ExpiresFields{http_date(until), age < 0 || rule.seconds < 0
                                             ? std::string("no-cache")
                                             : fmt::format("max-age={}", age)};
}

}  // namespace gatescope::http
