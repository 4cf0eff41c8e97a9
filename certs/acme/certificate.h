#pragma once

// Certificates as an ACME client makes and reads them.

#include <string>
#include <string_view>
#include <vector>

#include "certs/acme/private_key.h"
#include "proxy/base/clock.h"

struct x509_st;

namespace gatescope::acme {

/// PKCS #10 in DER: asks for a certificate for these names, DNS names and IP addresses. Signs: on a
/// lane.
Result<std::string> make_csr(const PrivateKey& key, const std::vector<std::string>& names);

/// What is known of a certificate that was issued.
struct CertificateFacts {
  WallTime not_before{}, not_after{};
  std::vector<std::string> names;
  std::string renewal_id;
};
/// How RFC 9773 4.1 names a certificate; empty: it has no authority key identifier.
std::string renewal_id(const x509_st* certificate);
/// A key and the chain behind it, as one text (a file that is exchanged in one step). Errors: they
/// do not fit each other, or are no such thing. `path` is for these.
Result<CertificateFacts> read_bundle(std::string_view bundle, const std::string& path);

/// What is shown until there is a certificate: self-signed, with its key in front.
Result<std::string> make_temporary_bundle(const std::vector<std::string>& names, WallTime now);
/// For tls-alpn-01 (RFC 8737): the proof that we know `authorization`, with its key in front.
Result<std::string> make_proof_bundle(const std::string& name, std::string_view authorization,
                                      WallTime now);
/// The name that an authority asks for in a tls-alpn-01 handshake: of an IP address the one of its
/// reverse lookup (RFC 8738 6).
std::string proof_name(const std::string& identifier);
bool is_ip(const std::string& identifier);

}  // namespace gatescope::acme
