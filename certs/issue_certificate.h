#pragma once

// Making X.509 certificates. Private to certs/ and its tests.

#include <string>
#include <vector>

#include "certs/openssl_ptr.h"
#include "proxy/base/clock.h"

namespace gatescope::tls {

using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;

struct CertificateRequest {
  std::string common_name;
  std::vector<std::string> names;  // DNS names and IP addresses, of a leaf
  bool is_ca = false;
  bool for_client = false;  // a leaf that a client shows
  std::string acme_proof;   // SHA-256 of a key authorization (RFC 8737 3); empty: none
  WallTime not_before{};
  std::chrono::hours lifetime{};
};

/// 4 or 16 bytes in network order; empty when `name` is no IP address.
std::string ip_bytes(const std::string& name);

/// Signs `key`'s public half with the issuer's key; self-signed without an issuer.
Result<X509Ptr> issue_certificate(const CertificateRequest& request, EVP_PKEY* key,
                                  X509* issuer = nullptr, EVP_PKEY* issuer_key = nullptr);
Result<KeyPtr> make_p256_key();
Result<std::string> to_pem(X509* certificate);
Result<std::string> to_pem(EVP_PKEY* key);  // PKCS #8, not encrypted

/// subjectAltName for DNS names and IP addresses; null without memory.
GeneralNamesPtr general_names(const std::vector<std::string>& names);

/// The names that a certificate is for (subjectAltName), IP addresses as text; order kept.
std::vector<std::string> names_of(X509* certificate);

/// As the certificate would show it: lower case, an IP address in its usual form.
std::string normal_name(const std::string& name);

}  // namespace gatescope::tls
