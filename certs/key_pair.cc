#include "certs/key_pair.h"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <ctime>

namespace gatescope::tls {
namespace {

Error config_error(std::string_view what) {
  return ssl_error(ErrorKind::Invalid, Origin::Internal, what);
}

// Instead of OpenSSL's own, which would ask at the terminal.
int on_password_wanted(char*, int, int, void* asked) noexcept {
  *static_cast<bool*>(asked) = true;
  return -1;
}

bool is_end_of_pem() {
  const unsigned long code = ERR_peek_last_error();
  return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

Result<std::string> read(SecretReader& secrets, std::string_view what, const std::string& path) {
  auto text = secrets.read_secret(path);
  if (text) return text;
  return make_error(text.error().kind, Origin::Internal,
                    fmt::format("cannot load {} \"{}\": {}", what, path, text.error().detail));
}

}  // namespace

Result<std::vector<X509Ptr>> parse_certificates(std::string_view pem, const std::string& path) {
  ERR_clear_error();
  const BioPtr bio = bio_on(pem);
  std::vector<X509Ptr> chain;
  // The leaf may carry trust settings ("TRUSTED CERTIFICATE"), as in nginx.
  if (X509Ptr leaf{PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr)}) {
    chain.push_back(std::move(leaf));
  } else {
    return config_error(
        fmt::format("cannot load certificate \"{}\": PEM_read_bio_X509_AUX() failed", path));
  }
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    chain.emplace_back(next);
  }
  if (!is_end_of_pem()) {
    return config_error(
        fmt::format("cannot load certificate \"{}\": PEM_read_bio_X509() failed", path));
  }
  ERR_clear_error();
  return chain;
}

Result<KeyPtr> parse_private_key(std::string_view pem, const std::string& path) {
  ERR_clear_error();
  const BioPtr bio = bio_on(pem);
  bool encrypted = false;
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, on_password_wanted, &encrypted));
  if (key) return key;
  auto error = config_error(
      fmt::format("cannot load certificate key \"{}\": PEM_read_bio_PrivateKey() failed", path));
  if (encrypted) {
    error.detail +=
        "; the key is encrypted with a password: store it without one "
        "(openssl pkey -in OLD -out NEW), readable by its owner only";
  }
  return error;
}

Result<std::int64_t> load_pair(SSL_CTX* context, const TlsSettings::Pair& pair,
                               SecretReader& secrets) {
  auto certificate_pem = read(secrets, "certificate", pair.certificate);
  if (!certificate_pem) return certificate_pem.error();
  auto chain = parse_certificates(*certificate_pem, pair.certificate);
  if (!chain) return chain.error();
  auto key_pem = read(secrets, "certificate key", pair.key);
  if (!key_pem) return key_pem.error();
  auto key = parse_private_key(*key_pem, pair.key);
  OPENSSL_cleanse(key_pem->data(), key_pem->size());
  if (!key) return key.error();

  ERR_clear_error();
  X509* const leaf = chain->front().get();
  if (SSL_CTX_use_certificate(context, leaf) != 1) {
    return config_error(fmt::format("SSL_CTX_use_certificate(\"{}\") failed", pair.certificate));
  }
  for (std::size_t i = 1; i < chain->size(); ++i) {
    // Belongs to the certificate set last.
    if (SSL_CTX_add1_chain_cert(context, (*chain)[i].get()) != 1) {
      return config_error(fmt::format("SSL_CTX_add1_chain_cert(\"{}\") failed", pair.certificate));
    }
  }
  // SSL_CTX_use_PrivateKey() files a key of another type under that type without a word, and then
  // no handshake succeeds; so the fit is asked for first.
  if (X509_check_private_key(leaf, key->get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key->get()) != 1) {
    return config_error(fmt::format("SSL_CTX_use_PrivateKey(\"{}\") failed", pair.key));
  }
  return unix_time(X509_get0_notAfter(leaf));
}

std::int64_t unix_time(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

}  // namespace gatescope::tls
