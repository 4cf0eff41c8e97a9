#include "certs/acme/renewal_schedule.h"

#include <algorithm>

namespace gatescope::acme {
namespace {

Duration part(std::chrono::microseconds whole, double share) {
  return std::chrono::duration_cast<Duration>(whole * share);
}

}  // namespace

WallTime renewal_time(const CertificateFacts& certificate, double chance) {
  const auto lifetime = certificate.not_after - certificate.not_before;
  return certificate.not_before + part(lifetime, 2.0 / 3 - 0.02 * chance);
}

WallTime time_in(const RenewalWindow& window, double chance) {
  return window.start + part(window.end - window.start, chance);
}

Duration Backoff::next(double chance, std::optional<Duration> asked) {
  const auto doubled = kFirst * (1u << std::min(failures_, 10u));
  ++failures_;
  const auto pause = part(std::min<Duration>(doubled, kLongest), 0.75 + 0.5 * chance);
  return std::max(pause, std::min<Duration>(asked.value_or(Duration(0)), kMostAsked));
}

}  // namespace gatescope::acme
