#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

struct x509_st;

namespace gatescope::tls {

/// What a certificate says of itself. A value.
struct CertificateInfo {
  std::vector<std::string> names;  // subjectAltName; of one without any its common name
  std::string issuer;              // organisation and common name: "Let's Encrypt, R11"
  std::string key;                 // "ECDSA 256", "RSA 2048", "ED25519": kind and bits
  WallTime not_before{}, not_after{};
  std::string fingerprint;  // SHA-256 of all of it (DER), in hex: tells one from another
  bool self_signed = false;

  /// "a.test, b.test"; of many names the first and how many more.
  std::string shown() const;
};

CertificateInfo describe(x509_st* certificate);
/// Of a PEM text, the leaf first. Errors name `path`.
Result<std::vector<CertificateInfo>> read_certificate_infos(std::string_view pem,
                                                            const std::string& path);

/// Less than this left is trouble: seven days, and of a certificate that lasts for days only
/// (RFC 9773 brings such) a sixth of its lifetime, as a sound renewal happens at a third.
Duration trouble_below(const CertificateInfo& info);

}  // namespace gatescope::tls
