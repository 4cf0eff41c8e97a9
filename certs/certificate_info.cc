#include "certs/certificate_info.h"

#include <fmt/format.h>

#include <algorithm>

#include "certs/issue_certificate.h"
#include "certs/key_pair.h"
#include "certs/openssl_ptr.h"
#include "proxy/base/text.h"

namespace gatescope::tls {
namespace {

/// The first such part of a name, as UTF-8; empty: it has none.
std::string part_of(const X509_NAME* name, int nid) {
  const int at = X509_NAME_get_index_by_NID(name, nid, -1);
  if (at < 0) return {};
  unsigned char* text = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (size < 0) return {};
  std::string part(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return part;
}

std::string issuer_of(const X509* certificate) {
  const X509_NAME* name = X509_get_issuer_name(certificate);
  const std::string organization = part_of(name, NID_organizationName);
  const std::string common = part_of(name, NID_commonName);
  if (organization.empty() || common.empty()) return organization + common;
  return organization + ", " + common;
}

std::string key_of(const X509* certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr) return "unknown";
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC:
      return fmt::format("ECDSA {}", EVP_PKEY_get_bits(key));
    case EVP_PKEY_RSA:
      return fmt::format("RSA {}", EVP_PKEY_get_bits(key));
    case EVP_PKEY_RSA_PSS:
      return fmt::format("RSA-PSS {}", EVP_PKEY_get_bits(key));
    default: {
      const char* name = EVP_PKEY_get0_type_name(key);
      return name != nullptr ? name : "unknown";
    }
  }
}

std::string fingerprint_of(const X509* certificate) {
  unsigned char sum[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), sum, &size) != 1) return {};
  return to_hex({reinterpret_cast<const char*>(sum), size});
}

WallTime wall_time(const ASN1_TIME* time) {
  return WallTime(std::chrono::seconds(unix_time(time)));
}

}  // namespace

std::string CertificateInfo::shown() const {
  constexpr std::size_t kMost = 5;
  const auto first = names.begin();
  if (names.size() <= kMost) return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{} and {} more", fmt::join(first, first + kMost, ", "), names.size() - kMost);
}

CertificateInfo describe(X509* certificate) {
  CertificateInfo info{.names = names_of(certificate),
                       .issuer = issuer_of(certificate),
                       .key = key_of(certificate),
                       .not_before = wall_time(X509_get0_notBefore(certificate)),
                       .not_after = wall_time(X509_get0_notAfter(certificate)),
                       .fingerprint = fingerprint_of(certificate),
                       .self_signed = X509_self_signed(certificate, 0) == 1};
  if (info.names.empty())
    info.names.push_back(part_of(X509_get_subject_name(certificate), NID_commonName));
  ERR_clear_error();
  return info;
}

Result<std::vector<CertificateInfo>> read_certificate_infos(std::string_view pem,
                                                            const std::string& path) {
  const auto chain = parse_certificates(pem, path);
  if (!chain) return chain.error();
  std::vector<CertificateInfo> infos;
  for (const auto& certificate : *chain)
    infos.push_back(describe(certificate.get()));
  return infos;
}

Duration trouble_below(const CertificateInfo& info) {
  constexpr Duration kWeek = std::chrono::hours(7 * 24);
  const auto lifetime = std::chrono::duration_cast<Duration>(info.not_after - info.not_before);
  return std::min(kWeek, lifetime / 6);
}

}  // namespace gatescope::tls
