#include "certs/key_pair.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cstring>
#include <ctime>

#include "proxy/base/text.h"

namespace gatescope::tls {
namespace {

constexpr std::string_view kData = "data:";

/// Instead of OpenSSL's own, which would ask at the terminal.
struct PasswordQuestion {
  const std::string* answer = nullptr;
  bool asked = false;
};
int on_password_wanted(char* room, int size, int, void* data) noexcept {
  auto& question = *static_cast<PasswordQuestion*>(data);
  question.asked = true;
  if (question.answer == nullptr) return -1;
  const auto length =
      std::min<std::size_t>(question.answer->size(), static_cast<std::size_t>(size));
  std::memcpy(room, question.answer->data(), length);
  return static_cast<int>(length);
}

/// The text that the directive gives itself, or that of the file it names.
Result<std::string> read(SecretReader& secrets, std::string_view what, const NamedFile& file) {
  if (file.path.starts_with(kData)) return file.path.substr(kData.size());
  auto text = secrets.read_secret(file.path);
  if (text) return text;
  return make_error(text.error().kind, Origin::Internal,
                    fmt::format("cannot load {} \"{}\": {}", what, file.path, text.error().detail));
}

std::string shown(const NamedFile& file) {
  return file.path.starts_with(kData) ? std::string(kData) + "..." : file.path;
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

Result<KeyPtr> parse_private_key(std::string_view pem, const std::string& path,
                                 std::span<const std::string> passwords) {
  bool encrypted = false;
  std::size_t tried = 0;
  for (;;) {
    ERR_clear_error();
    const BioPtr bio = bio_on(pem);
    PasswordQuestion question{tried < passwords.size() ? &passwords[tried] : nullptr};
    KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, on_password_wanted, &question));
    if (key) {
      ERR_clear_error();
      return key;
    }
    encrypted = question.asked;
    if (!encrypted || ++tried >= passwords.size()) break;
  }
  auto error = config_error(
      fmt::format("cannot load certificate key \"{}\": PEM_read_bio_PrivateKey() failed", path));
  if (encrypted && passwords.empty()) {
    error.detail +=
        "; the key is encrypted with a password: name a file with it (ssl_password_file), or store "
        "the key without one (openssl pkey -in OLD -out NEW), readable by its owner only";
  } else if (encrypted) {
    error.detail += "; no password of \"ssl_password_file\" opens the key";
  }
  return error;
}

Result<std::vector<std::string>> read_passwords(const NamedFile& file, SecretReader& secrets) {
  std::vector<std::string> passwords;
  if (file.empty()) return passwords;
  auto text = secrets.read_secret(file.path);
  if (!text) return placed(text.error(), file.place);
  for (std::string_view line : split(*text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) passwords.emplace_back(line);
  }
  OPENSSL_cleanse(text->data(), text->size());
  return passwords;
}

Result<std::int64_t> load_pair(SSL_CTX* context, const TlsSettings::Pair& pair,
                               SecretReader& secrets, std::span<const std::string> passwords) {
  const NamedFile& file = pair.certificate;
  auto certificate_pem = read(secrets, "certificate", file);
  if (!certificate_pem) return placed(certificate_pem.error(), file.place);
  auto chain = parse_certificates(*certificate_pem, shown(file));
  if (!chain) return placed(chain.error(), file.place);
  // Both in one file: then both of one reading, as it may be exchanged in between.
  auto key_pem =
      pair.key.path == file.path ? certificate_pem : read(secrets, "certificate key", pair.key);
  if (!key_pem) return placed(key_pem.error(), pair.key.place);
  auto key = parse_private_key(*key_pem, shown(pair.key), passwords);
  OPENSSL_cleanse(key_pem->data(), key_pem->size());
  if (!key) return placed(key.error(), pair.key.place);

  ERR_clear_error();
  X509* const leaf = chain->front().get();
  // The chain belongs to the certificate set last; one of the same type may have left another.
  if (SSL_CTX_use_certificate(context, leaf) != 1 || SSL_CTX_clear_chain_certs(context) != 1) {
    return placed(config_error(fmt::format("SSL_CTX_use_certificate(\"{}\") failed", shown(file))),
                  file.place);
  }
  for (std::size_t i = 1; i < chain->size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, (*chain)[i].get()) != 1) {
      return placed(
          config_error(fmt::format("SSL_CTX_add1_chain_cert(\"{}\") failed", shown(file))),
          file.place);
    }
  }
  // SSL_CTX_use_PrivateKey() files a key of another type under that type without a word, and then
  // no handshake succeeds; so the fit is asked for first.
  if (X509_check_private_key(leaf, key->get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key->get()) != 1) {
    return placed(
        config_error(fmt::format("SSL_CTX_use_PrivateKey(\"{}\") failed", shown(pair.key))),
        pair.key.place);
  }
  return unix_time(X509_get0_notAfter(leaf));
}

std::int64_t unix_time(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

}  // namespace gatescope::tls
