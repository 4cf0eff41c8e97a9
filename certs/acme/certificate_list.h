#pragma once

// The certificates of a configuration, for people: `gatescope certs`.

#include <optional>
#include <string>
#include <vector>

#include "certs/acme/renewal_note.h"
#include "certs/certificate_info.h"
#include "certs/tls_context.h"
#include "certs/tls_probe.h"
#include "conf/schema.h"

namespace gatescope::acme {

struct ListedCertificate {
  std::vector<std::string> names;  // of the certificate; without one those that are wanted
  std::string source;              // file, or "acme_issuer NAME"
  std::string file;                // where it lies, or will; "data:..."
  std::optional<tls::CertificateInfo> info;  // nullopt: there is none that can be read
  std::string issuer_name;                   // of the acme_issuer; empty: a file of others
  std::optional<RenewalNote> note;           // of an acme_issuer that has tried
  std::optional<WallTime> renew_at;          // nullopt: not ours to renew, or as soon as possible
  std::string error;  // what is wrong with it, or with the last try; empty: nothing
};

/// Each certificate once, in order of writing. Reads files and state folders; a key that we may not
/// read is not complained of. `main`: read, and its plans settled (resolve_certificates).
std::vector<ListedCertificate> list_certificates(const conf::Scope& main,
                                                 tls::SecretReader& secrets);

/// Times as seconds since 1970 and as text of RFC 3339.
std::string to_json(const std::vector<ListedCertificate>& certificates, WallTime now);
std::string to_json(const tls::ProbeReport& report, WallTime now);

}  // namespace gatescope::acme
