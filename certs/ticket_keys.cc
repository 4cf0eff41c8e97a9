#include "certs/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <cstring>

namespace gatescope::tls {
namespace {

using Key = TicketKeys::State::Key;

template <std::size_t kSize>
bool fill(std::array<unsigned char, kSize>& bytes) {
  return RAND_bytes(bytes.data(), kSize) == 1;
}

void forget(std::optional<Key>& key) {
  if (key) OPENSSL_cleanse(&*key, sizeof(Key));
  key.reset();
}

bool set_up_mac(EVP_MAC_CTX* mac, Key& key) {
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  return EVP_MAC_CTX_set_params(mac, params) == 1;
}

// What OpenSSL's callback may answer.
constexpr int kFailed = -1, kUnknown = 0, kDone = 1, kDoneRenew = 2;

int encrypt_ticket(TicketKeys::State& keys, unsigned char* name, unsigned char* iv,
                   EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  auto key = keys.current_key();
  if (!key || RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return kFailed;
  std::memcpy(name, key->name.data(), key->name.size());
  const bool ok = EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv);
  return ok && set_up_mac(mac, *key) ? kDone : kFailed;
}

int decrypt_ticket(TicketKeys::State& keys, SSL* ssl, const unsigned char* name,
                   const unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  auto found = keys.find(name);
  if (!found) return kUnknown;
  const bool ok =
      EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, found->key.cipher.data(), iv);
  if (!ok || !set_up_mac(mac, found->key)) return kFailed;
  // Browsers use a TLS 1.3 ticket once (RFC 8446 C.4), so each resumption must bring the next one.
  return found->current && SSL_version(ssl) != TLS1_3_VERSION ? kDone : kDoneRenew;
}

int on_ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                  EVP_MAC_CTX* mac, int encrypt) noexcept {
  auto& keys = *static_cast<TicketKeys::State*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  return encrypt == 1 ? encrypt_ticket(keys, name, iv, cipher, mac)
                      : decrypt_ticket(keys, ssl, name, iv, cipher, mac);
}

}  // namespace

TicketKeys::State::~State() {
  forget(current_);
  forget(previous_);
}

bool TicketKeys::State::rotate() {
  const auto age = clock.now() - made_;
  if (current_ && age < kRotateAfter) return true;
  Key made;
  if (!fill(made.name) || !fill(made.cipher) || !fill(made.mac)) return false;
  forget(previous_);
  if (current_ && age < 2 * kRotateAfter) previous_ = current_;
  current_ = made;
  made_ = clock.now();
  return true;
}

std::optional<Key> TicketKeys::State::current_key() {
  const std::lock_guard guard(lock_);
  if (!rotate()) return std::nullopt;
  return current_;
}

std::optional<TicketKeys::State::Found> TicketKeys::State::find(const unsigned char* name) {
  const std::lock_guard guard(lock_);
  if (!rotate()) return std::nullopt;
  for (const auto* key : {&current_, &previous_}) {
    if (*key && std::memcmp((*key)->name.data(), name, kNameSize) == 0) {
      return Found{**key, key == &current_};
    }
  }
  return std::nullopt;
}

TicketKeys::TicketKeys(const Clock& clock) : state_(std::make_unique<State>(clock)) {}
TicketKeys::~TicketKeys() = default;

void use_ticket_keys(SSL_CTX* context, TicketKeys::State& keys) {
  SSL_CTX_set_app_data(context, &keys);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket_key);
}

}  // namespace gatescope::tls
