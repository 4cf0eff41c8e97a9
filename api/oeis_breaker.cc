#include "api/oeis_breaker.h"

#include <algorithm>

#include "proxy/base/text.h"

namespace gatescope::api {

unsigned OeisBreaker::resting(MonoTime now) const {
  if (!until_ || now >= *until_) return 0;
  return static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(*until_ - now).count());
}

void OeisBreaker::on_refusal(MonoTime now, std::optional<Duration> told) {
  const bool first_of_several = resting(now) == 0;
  if (first_of_several) next_ = next_.count() == 0 ? settings_.first : 2 * next_;
  next_ = std::min(next_, settings_.longest);
  const MonoTime until = now + (told ? std::min(*told, settings_.longest_told) : next_);
  until_ = first_of_several ? until : std::max(*until_, until);
}

bool OeisBreaker::on_answer(MonoTime now) {
  if (!until_ || resting(now) > 0) return false;  // asked before the refusal
  until_.reset();
  next_ = Duration(0);
  return true;
}

std::optional<Duration> parse_retry_after(std::string_view value, WallTime now) {
  constexpr Duration kLeast{1000};
  constexpr std::uint64_t kMost = 365u * 24 * 3600;
  value = trim(value);
  if (const auto seconds = parse_unsigned(value))
    return std::max(kLeast, Duration(std::chrono::seconds(std::min(*seconds, kMost))));
  const auto date = parse_http_date(value);
  if (!date) return std::nullopt;
  const auto at = WallTime(std::chrono::seconds(*date));
  return std::max(kLeast, std::chrono::ceil<Duration>(at - now));
}

}  // namespace gatescope::api
