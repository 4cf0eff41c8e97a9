#include "certs/client_rules.h"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <array>

#include "certs/openssl_ptr.h"

namespace gatescope::tls {
namespace {

Result<std::string> read(const NamedFile& file, SecretReader& secrets) {
  auto text = secrets.read_secret(file.path);
  if (text) return text;
  return make_error(text.error().kind, Origin::Internal,
                    fmt::format("failed to load \"{}\": {}", file.path, text.error().detail));
}

bool is_among(const STACK_OF(X509_NAME) * names, const X509_NAME* name) {
  for (int i = 0; i < sk_X509_NAME_num(names); ++i) {
    if (X509_NAME_cmp(sk_X509_NAME_value(names, i), name) == 0) return true;
  }
  return false;
}

/// Authorities into the context's store; their names into the list that clients are sent, where
/// `announce`.
Result<void> add_authorities(SSL_CTX* context, const NamedFile& file, const std::string& pem,
                             bool announce) {
  const auto failed = [&](std::string_view call) {
    return config_error(fmt::format("failed to load \"{}\": {}() failed", file.path, call));
  };
  ERR_clear_error();
  const BioPtr bio = bio_on(pem);
  std::size_t count = 0;
  // They may carry trust settings ("TRUSTED CERTIFICATE"), as in nginx.
  while (const X509Ptr authority{PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr)}) {
    ++count;
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) != 1) {
      return failed("X509_STORE_add_cert");
    }
    const auto* announced = SSL_CTX_get_client_CA_list(context);
    if (!announce || is_among(announced, X509_get_subject_name(authority.get()))) continue;
    if (SSL_CTX_add_client_CA(context, authority.get()) != 1)
      return failed("SSL_CTX_add_client_CA");
  }
  if (count == 0 || !is_end_of_pem()) return failed("PEM_read_bio_X509_AUX");
  ERR_clear_error();
  return {};
}

Result<void> add_revocations(SSL_CTX* context, const NamedFile& file, const std::string& pem) {
  const auto failed = [&](std::string_view call) {
    return config_error(fmt::format("failed to load \"{}\": {}() failed", file.path, call));
  };
  ERR_clear_error();
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  const BioPtr bio = bio_on(pem);
  std::size_t count = 0;
  while (const CrlPtr list{PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr)}) {
    ++count;
    if (X509_STORE_add_crl(store, list.get()) != 1) return failed("X509_STORE_add_crl");
  }
  if (count == 0 || !is_end_of_pem()) return failed("PEM_read_bio_X509_CRL");
  ERR_clear_error();
  // Each authority of the chain needs a list then.
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return {};
}

std::string digest(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum;
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), sum.data(), &size, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(sum.data()), size};
}

}  // namespace

Result<void> trust(SSL_CTX* context, const NamedFile& authorities, const NamedFile& crl,
                   SecretReader& secrets) {
  const auto text = read(authorities, secrets);
  if (!text) return placed(text.error(), authorities.place);
  if (auto added = add_authorities(context, authorities, *text, false); !added)
    return placed(added.error(), authorities.place);
  if (crl.empty()) return {};
  const auto list = read(crl, secrets);
  if (!list) return placed(list.error(), crl.place);
  if (auto added = add_revocations(context, crl, *list); !added)
    return placed(added.error(), crl.place);
  return {};
}

Result<std::string> set_client_rules(SSL_CTX* context, const TlsSettings& settings,
                                     SecretReader& secrets) {
  const bool asks = settings.verify_client != ClientCheck::Off;
  if (asks && settings.verify_client != ClientCheck::OptionalNoCa &&
      settings.client_certificate.empty() && settings.trusted_certificate.empty()) {
    return placed(make_error(ErrorKind::Invalid, Origin::Internal,
                             "no ssl_client_certificate or ssl_trusted_certificate for "
                             "ssl_verify_client"),
                  settings.place);
  }
  std::string rules = fmt::format("depth {}", settings.verify_depth);
  const auto take = [&](const NamedFile& file, auto&& add) -> Result<void> {
    if (file.empty()) return {};
    const auto text = read(file, secrets);
    if (!text) return placed(text.error(), file.place);
    if (auto added = add(file, *text); !added) return placed(added.error(), file.place);
    rules += fmt::format(" {}:", text->size());
    rules += *text;
    return {};
  };
  const NamedFile none;
  auto taken = take(asks ? settings.client_certificate : none, [&](auto& file, auto& text) {
    return add_authorities(context, file, text, true);
  });
  if (!taken) return taken.error();
  taken = take(settings.trusted_certificate,
               [&](auto& file, auto& text) { return add_authorities(context, file, text, false); });
  if (!taken) return taken.error();
  taken = take(settings.crl,
               [&](auto& file, auto& text) { return add_revocations(context, file, text); });
  if (!taken) return taken.error();
  if (!asks) return std::string();
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, judge_later);
  SSL_CTX_set_verify_depth(context, static_cast<int>(settings.verify_depth));
  return digest(rules);
}

}  // namespace gatescope::tls
