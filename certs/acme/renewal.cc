#include "certs/acme/renewal.h"

#include <algorithm>

namespace gatescope::acme {

void Renewal::adopt(std::string bundle, CertificateFacts facts, WallTime now, Jitter& jitter) {
  bundle_ = std::move(bundle);
  facts_ = std::move(facts);
  window_.reset();
  renew_at_ = renewal_time(*facts_, jitter.next());
  ask_at_ = now;
  pause_until_ = {};
  backoff_.reset();
}

WallTime Renewal::due() const {
  const auto renewal = std::max(renew_at_, pause_until_);
  return has_id() ? std::min(renewal, std::max(ask_at_, pause_until_)) : renewal;
}

bool Renewal::set_window(const RenewalWindow& window, std::optional<Duration> ask_after,
                         WallTime now, Jitter& jitter) {
  constexpr Duration kUsual = std::chrono::hours(6);
  ask_at_ = now + std::clamp<Duration>(ask_after.value_or(kUsual), std::chrono::minutes(1),
                                       std::chrono::hours(24));
  if (window_ == window) return false;
  window_ = window;
  // Whatever is advised: not so late that a failure could not be mended.
  const auto lifetime = facts_->not_after - facts_->not_before;
  renew_at_ = std::min(time_in(window, jitter.next()), facts_->not_after - lifetime / 10);
  return true;
}

Duration Renewal::fail(const Failure& failure, WallTime now, Jitter& jitter) {
  const auto pause = backoff_.next(jitter.next(), failure.retry_after);
  pause_until_ = now + pause;
  return pause;
}

bool Renewal::is_urgent(WallTime now) const {
  return facts_ && facts_->not_after - now < (facts_->not_after - facts_->not_before) / 10;
}

}  // namespace gatescope::acme
