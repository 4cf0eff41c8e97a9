#include "certs/acme/certificate.h"

#include <fmt/format.h>

#include <array>

#include "certs/acme/base64url.h"
#include "certs/issue_certificate.h"
#include "certs/key_pair.h"

namespace gatescope::acme {
namespace {

using tls::Freed;
using RequestPtr = std::unique_ptr<X509_REQ, Freed<X509_REQ_free>>;

Error failed(std::string_view what) {
  return tls::ssl_error(ErrorKind::Internal, Origin::Internal, what);
}

void free_extensions(STACK_OF(X509_EXTENSION) * list) {
  sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
}
using Extensions = std::unique_ptr<STACK_OF(X509_EXTENSION), Freed<free_extensions>>;

Result<std::string> self_signed(const tls::CertificateRequest& request) {
  auto key = tls::make_p256_key();
  if (!key) return key.error();
  const auto certificate = tls::issue_certificate(request, key->get());
  if (!certificate) return certificate.error();
  const auto key_pem = tls::to_pem(key->get());
  if (!key_pem) return key_pem.error();
  const auto certificate_pem = tls::to_pem(certificate->get());
  if (!certificate_pem) return certificate_pem.error();
  return *key_pem + *certificate_pem;
}

}  // namespace

std::string renewal_id(const X509* certificate) {
  const ASN1_OCTET_STRING* issuer = X509_get0_authority_key_id(const_cast<X509*>(certificate));
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  if (issuer == nullptr || serial == nullptr) return {};
  const auto text = [](const ASN1_STRING* value) {
    return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                       static_cast<std::size_t>(ASN1_STRING_length(value)));
  };
  // As DER has an INTEGER: a zero before a first byte that would be a sign.
  std::string number = text(serial);
  if (!number.empty() && (static_cast<unsigned char>(number.front()) & 0x80) != 0)
    number.insert(0, 1, '\0');
  return base64url(text(issuer)) + "." + base64url(number);
}

Result<std::string> make_csr(const PrivateKey& key, const std::vector<std::string>& names) {
  ERR_clear_error();
  const RequestPtr request(X509_REQ_new());
  const auto list = tls::general_names(names);
  Extensions extensions;
  STACK_OF(X509_EXTENSION)* raw = nullptr;
  const bool has_names =
      request && list &&
      X509V3_add1_i2d(&raw, NID_subject_alt_name, list.get(), 0, X509V3_ADD_DEFAULT) == 1;
  extensions.reset(raw);
  const bool ok = has_names && X509_REQ_set_version(request.get(), 0) == 1 &&
                  X509_REQ_add_extensions(request.get(), extensions.get()) == 1 &&
                  X509_REQ_set_pubkey(request.get(), key.native()) == 1 &&
                  X509_REQ_sign(request.get(), key.native(), EVP_sha256()) > 0;
  if (!ok) return failed("making a certificate request failed");
  const int size = i2d_X509_REQ(request.get(), nullptr);
  std::string der(static_cast<std::size_t>(std::max(size, 0)), '\0');
  auto* at = reinterpret_cast<unsigned char*>(der.data());
  if (size <= 0 || i2d_X509_REQ(request.get(), &at) != size) return failed("i2d_X509_REQ() failed");
  return der;
}

Result<CertificateFacts> read_bundle(std::string_view bundle, const std::string& path) {
  const auto key = tls::parse_private_key(bundle, path);
  if (!key) return key.error();
  const auto chain = tls::parse_certificates(bundle, path);
  if (!chain) return chain.error();
  X509* const leaf = chain->front().get();
  if (X509_check_private_key(leaf, key->get()) != 1)
    return tls::config_error(fmt::format("the key in \"{}\" does not fit its certificate", path));
  const auto time = [](const ASN1_TIME* t) {
    return WallTime(std::chrono::seconds(tls::unix_time(t)));
  };
  return CertificateFacts{.not_before = time(X509_get0_notBefore(leaf)),
                          .not_after = time(X509_get0_notAfter(leaf)),
                          .names = tls::names_of(leaf),
                          .renewal_id = renewal_id(leaf)};
}

Result<std::string> make_temporary_bundle(const std::vector<std::string>& names, WallTime now) {
  return self_signed({.common_name = names.front(),
                      .names = names,
                      .not_before = now - std::chrono::hours(1),
                      .lifetime = std::chrono::hours(24 * 90)});
}

Result<std::string> make_proof_bundle(const std::string& name, std::string_view authorization,
                                      WallTime now) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  if (EVP_Digest(authorization.data(), authorization.size(),
                 reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_sha256(),
                 nullptr) != 1)
    return failed("EVP_Digest() failed");
  digest.resize(size);
  return self_signed({.common_name = name,
                      .names = {name},
                      .acme_proof = digest,
                      .not_before = now - std::chrono::hours(1),
                      .lifetime = std::chrono::hours(24)});
}

bool is_ip(const std::string& identifier) {
  return !tls::ip_bytes(identifier).empty();
}

std::string proof_name(const std::string& identifier) {
  const std::string bytes = tls::ip_bytes(identifier);
  if (bytes.empty()) return identifier;
  std::string name;
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
    const auto value = static_cast<unsigned char>(*byte);
    name += bytes.size() == 4 ? fmt::format("{}.", value)
                              : fmt::format("{:x}.{:x}.", value & 15, value >> 4);
  }
  return name + (bytes.size() == 4 ? "in-addr.arpa" : "ip6.arpa");
}

}  // namespace gatescope::acme
