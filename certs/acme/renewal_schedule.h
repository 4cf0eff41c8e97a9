#pragma once

// When to renew, and when to try again. Pure: time and chance are parameters.

#include <optional>
#include <random>

#include "certs/acme/certificate.h"
#include "certs/acme/messages.h"

namespace gatescope::acme {

/// Even numbers from 0 to 1; seeded by its owner, so that a test repeats itself.
class Jitter {
 public:
  explicit Jitter(std::uint64_t seed) : engine_(seed) {}
  double next() { return std::uniform_real_distribution<double>(0, 1)(engine_); }

 private:
  std::mt19937_64 engine_;
};

/// Without advice: after two thirds of the lifetime, and somewhat earlier by chance (up to a
/// fiftieth of it), so that not everybody who began together comes together.
WallTime renewal_time(const CertificateFacts& certificate, double chance);
/// Anywhere in the window (RFC 9773 4.2). One that lies behind us: now.
WallTime time_in(const RenewalWindow& window, double chance);

/// Pauses after failures in a row: 5 minutes, doubled up to 4 hours, a quarter more or less. Five
/// failures an hour for one name is what Let's Encrypt allows.
class Backoff {
 public:
  static constexpr Duration kFirst{5 * 60'000}, kLongest{4 * 3600'000};
  /// A week is the longest that an authority has reason to ask for; less is never cut short.
  static constexpr Duration kMostAsked{7 * 24 * 3600'000};
  Duration next(double chance, std::optional<Duration> asked);
  void reset() { failures_ = 0; }
  unsigned failures() const { return failures_; }

 private:
  unsigned failures_ = 0;
};

}  // namespace gatescope::acme
