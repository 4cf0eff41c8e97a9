#pragma once

#include <optional>
#include <string>

#include "certs/acme/acme_client.h"
#include "certs/acme/acme_settings.h"
#include "certs/acme/renewal_schedule.h"

namespace gatescope::acme {

/// What is known of one certificate that we obtain, and when something is to be done about it.
/// Asks nobody itself: its Issuer does, when it is due. Owned by the Issuer.
class Renewal {
 public:
  explicit Renewal(CertificateSettings settings) : settings_(std::move(settings)) {}
  const CertificateSettings& settings() const { return settings_; }
  const std::optional<CertificateFacts>& facts() const { return facts_; }
  const std::string& bundle() const { return bundle_; }

  /// The certificate in the state folder: one that was there, that others put there, or ours.
  void adopt(std::string bundle, CertificateFacts facts, WallTime now, Jitter& jitter);

  /// When to look again.
  WallTime due() const;
  bool wants_certificate(WallTime now) const { return now >= renew_at_ && now >= pause_until_; }
  /// Whether the authority's advice is wanted (RFC 9773), where it gives any.
  bool wants_window(WallTime now) const { return has_id() && now >= ask_at_; }
  std::string replaces() const { return facts_ ? facts_->renewal_id : std::string(); }

  /// Whether it is another advice than before.
  bool set_window(const RenewalWindow& window, std::optional<Duration> ask_after, WallTime now,
                  Jitter& jitter);
  /// None to be had: asked again after this long.
  void set_no_window(WallTime now, Duration ask_after) { ask_at_ = now + ask_after; }
  /// Until the next try.
  Duration fail(const Failure& failure, WallTime now, Jitter& jitter);
  /// Whatever was planned: now, and no advice is wanted.
  void demand(WallTime now) {
    renew_at_ = pause_until_ = now;
    ask_at_ = WallTime::max();
  }
  /// Others are at work: looks again a little later.
  void postpone(WallTime now, Duration pause) { pause_until_ = ask_at_ = now + pause; }
  WallTime renew_at() const { return renew_at_; }
  bool failed() const { return backoff_.failures() > 0; }  // the last try
  /// So little of its lifetime is left that somebody should look.
  bool is_urgent(WallTime now) const;

 private:
  bool has_id() const { return facts_ && !facts_->renewal_id.empty(); }

  const CertificateSettings settings_;
  std::string bundle_;  // empty: there is none
  std::optional<CertificateFacts> facts_;
  std::optional<RenewalWindow> window_;
  WallTime renew_at_{};     // the past: now
  WallTime pause_until_{};  // after a failure
  WallTime ask_at_{};
  Backoff backoff_;
};

}  // namespace gatescope::acme
