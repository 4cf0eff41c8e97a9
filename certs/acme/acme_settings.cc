#include "certs/acme/acme_settings.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>

#include "proxy/base/text.h"

namespace gatescope::acme {

std::string_view name_of(ChallengeKind kind) {
  return kind == ChallengeKind::Http ? "http-01" : "tls-alpn-01";
}

std::string CertificateSettings::file_name() const {
  auto sorted = identifiers;
  std::ranges::sort(sorted);
  const std::string text = fmt::format("{} {}", to_string(key), fmt::join(sorted, " "));
  unsigned char sum[EVP_MAX_MD_SIZE] = {};
  EVP_Digest(text.data(), text.size(), sum, nullptr, EVP_sha256(), nullptr);
  std::string first = identifiers.front();
  std::ranges::replace(first, ':', '_');  // of an IPv6 address
  return first + "-" + to_hex({reinterpret_cast<const char*>(sum), 4});
}

std::string CertificateSettings::shown() const {
  return fmt::format("{}", fmt::join(identifiers, ", "));
}

std::string IssuerPlan::key() const {
  const auto& s = settings;
  std::string text = fmt::format(
      "{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", s.name, s.uri,
      fmt::join(s.contacts, ","), s.state_path, to_string(s.account_key_type), s.account_key.path,
      s.accepts_terms, name_of(s.challenge), s.profile, s.profile_required, s.trusted_certificate,
      s.verify, s.binding_kid, s.binding_key.path);
  for (const auto& certificate : certificates)
    text += "\n" + certificate.file_name();
  return text;
}

}  // namespace gatescope::acme
