#pragma once

#include <memory>

#include "certs/expiry_watch.h"
#include "proxy/net/loop.h"

namespace gatescope::tls {

class CertificateWatchEvents {
 public:
  virtual ~CertificateWatchEvents() = default;
  /// After each look. `exchanged`: what serves since then, and is new.
  virtual void on_certificates(const CertificateHealth& health,
                               const std::vector<CertificateStore::Exchanged>& exchanged) = 0;
};

/// Has the store look at its certificates every few seconds, on a lane of its own: a renewed file
/// is in use soon after without a reload. Looking, not inotify: what certbot renews lies behind
/// links in folders that the worker may not enter, and is read by the keeper. What is served is
/// also watched for its end (ExpiryWatch).
///
/// Waiting -> Looking -> Waiting. Owned by Server, on loop 0.
class CertificateWatch final : private net::TimerEvents {
 public:
  /// Each look costs a reading of each file; nobody waits for it.
  static constexpr Duration kPause{10'000};

  /// `store` and `log` outlive the watch, and a look that still runs on its lane; the others
  /// outlive the watch.
  CertificateWatch(net::Loop& loop, CertificateStore& store, Stats& stats, std::shared_ptr<Log> log,
                   CertificateWatchEvents& events);
  /// A certificate is known to be new.
  void look_now();
  /// Another configuration serves: what it shows is judged at once, without a look at files.
  void judge(const std::vector<CertificateStore::Exchanged>& exchanged = {});
  const CertificateHealth& health() const { return expiry_.health(); }

 private:
  enum class State { Waiting, Looking };
  void on_timer(net::Timer& timer) override;
  void on_looked(const std::vector<CertificateStore::Exchanged>& exchanged);

  // Constant after construction.
  net::Loop& loop_;
  CertificateStore& store_;
  const std::shared_ptr<Log> log_;  // shared with the lane
  CertificateWatchEvents& events_;
  const std::shared_ptr<net::WorkerLane> lane_;
  const std::unique_ptr<net::Timer> timer_;

  ExpiryWatch expiry_;
  State state_ = State::Waiting;
  bool again_ = false;                               // look_now() came while Looking
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;  // while Looking
};

}  // namespace gatescope::tls
