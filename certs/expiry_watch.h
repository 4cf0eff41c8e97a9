#pragma once

// Certificates that cannot expire unseen: how long those that are served still last, and who is
// told.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "certs/certificate_store.h"
#include "proxy/base/log.h"
#include "proxy/base/stats.h"

namespace gatescope::tls {

/// How the certificates that are served fare, all of them together. A value.
struct CertificateHealth {
  std::size_t certificates = 0;
  std::vector<ServedCertificate> served;  // all of them
  /// Ended, not begun yet, or with less left than trouble_below(); or a temporary one, which nobody
  /// believes.
  std::vector<std::string> troubles;              // each in words, with the names
  std::optional<ServedCertificate> first_to_end;  // nullopt: none is served
  std::int64_t days_left = 0;                     // of that one, whole days; negative: it has ended

  bool good() const { return troubles.empty(); }
  /// For a line of status: "a.test: 29 days left", "3 certificates, the first to end is ..."; empty
  /// when none is served.
  std::string line() const;
};

/// Counts what is left, and says once for each certificate when it is less than 30, 14, 7, 3, 1
/// days, and when it has ended. Of one that lasts for days only those marks count that are below
/// half its lifetime: it is renewed before. Owned by CertificateWatch, on its loop.
class ExpiryWatch {
 public:
  /// `stats` outlives the watch.
  explicit ExpiryWatch(Stats& stats);
  void look(const std::vector<ServedCertificate>& served, WallTime now, Log& log);
  const CertificateHealth& health() const { return health_; }

 private:
  void show_ends(const std::vector<ServedCertificate>& served);
  void say(const ServedCertificate& certificate, WallTime now, Log& log);

  // Constant after construction.
  Stats& stats_;
  Counter& count_;
  Counter& days_left_;
  Counter& troubled_;
  Counter& refused_;

  CertificateHealth health_;
  /// By fingerprint: the lowest mark that was said. Only of those that are served.
  std::map<std::string, int> said_;
};

}  // namespace gatescope::tls
