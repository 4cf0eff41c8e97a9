#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "certs/certificate_info.h"
#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"

namespace gatescope::tls {

/// What a TLS server shows to whoever connects.
struct ProbeReport {
  std::string protocol, cipher, group;  // "TLSv1.3", "TLS_AES_256_GCM_SHA384", "X25519"
  std::string alpn;                     // empty: it chose none
  std::vector<CertificateInfo> chain;   // as it was sent, the leaf first
  std::string verification;             // what is wrong with it; empty: it is trusted
  bool name_matches = false;            // the leaf is for the host
  std::optional<int> status;            // of the answer to HEAD /; nullopt: none came
  std::optional<std::string> hsts;      // Strict-Transport-Security; nullopt: it has none
};

struct ProbeTarget {
  std::string host;  // a name (sent as SNI) or an IP address
  std::uint16_t port = 443;
  std::string ca_file;        // who is trusted; empty: whom the system trusts
  Duration patience{10'000};  // for each step
};

/// Looks at a server from outside, as a browser would: connects to the first address of the host
/// that takes the connection, shakes hands whatever the certificate is, judges it, and asks for
/// HEAD /. Blocks at most a few times `patience`; for commands. Errors: no such host, no
/// connection, no TLS there, a CA file that cannot be read.
Result<ProbeReport> probe(const ProbeTarget& target);

}  // namespace gatescope::tls
