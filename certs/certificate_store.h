#pragma once

// Certificates that change while they serve: renewed files, and those that we obtain ourselves.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "certs/certificate_info.h"
#include "certs/served_context.h"
#include "proxy/base/log.h"

namespace gatescope::tls {

/// One certificate that handshakes are answered with.
struct ServedCertificate {
  CertificateInfo info;
  std::string source;   // the file, or what $acme_certificate stands for; "data:..."
  std::string problem;  // why a newer one that is there does not load; empty: nothing is wrong
};

/// Makes the servers' contexts, knows what they were made of, and makes them anew when a
/// certificate has another text than before: no reload, and who is connected does not notice. What
/// does not load is refused, said once, and tried again at the next look; the context in use stays.
///
/// Survives in Server; the contexts belong to the configurations that asked for them, and are
/// forgotten with these. Thread-safe; everything here reads files and may block.
class CertificateStore {
 public:
  /// All outlive the store.
  CertificateStore(SecretReader& secrets, TicketKeys& tickets, SessionCaches& caches)
      : secrets_(secrets), tickets_(tickets), caches_(caches) {}

  /// Errors as TlsContext::make.
  Result<std::shared_ptr<ServedContext>> open(const TlsSettings& settings);
  /// What serves since a look, and the certificates that it is to show.
  struct Exchanged {
    std::shared_ptr<const ServedContext> served;
    std::vector<CertificateInfo> certificates;
  };
  /// Looks at every certificate that somebody serves.
  std::vector<Exchanged> look(Log& log);
  /// Only these answer handshakes from now on; others are left from configurations that end.
  void set_current(const std::vector<std::shared_ptr<ServedContext>>& contexts);
  /// What those show, each certificate once for each place that it comes from. Reads nothing.
  std::vector<ServedCertificate> served();

 private:
  struct Entry {
    std::weak_ptr<ServedContext> served;  // gone with its configuration
    TlsSettings settings;
    std::string loaded;   // digest of the certificates in use; empty: not known
    std::string refused;  // ... of those that did not load last, and why; empty: none
    // Guarded by mutex_
    std::vector<ServedCertificate> certificates;
    bool current = false;  // as set_current() said
  };
  using Texts = std::map<std::string, Result<std::string>>;  // by path, of one look

  std::vector<std::shared_ptr<Entry>> living();
  Result<std::string> digest(const TlsSettings& settings, Texts& texts);
  std::vector<ServedCertificate> certificates_of(const TlsContext& fresh,
                                                 const TlsSettings& settings, Texts& texts);
  bool renew(Entry& entry, ServedContext& served, Texts& texts, Log& log);

  // Constant after construction.
  SecretReader& secrets_;
  TicketKeys& tickets_;
  SessionCaches& caches_;

  std::mutex look_mutex_;  // one look at a time; guards what a look knows of the entries
  std::mutex mutex_;       // guards the list; never held while something is read
  std::vector<std::shared_ptr<Entry>> entries_;  // shared with a look that goes on
};

}  // namespace gatescope::tls
