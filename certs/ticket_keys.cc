#include "certs/ticket_keys.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>

#include "certs/openssl_ptr.h"

namespace gatescope::tls {
namespace {

template <std::size_t kSize>
bool fill(std::array<unsigned char, kSize>& bytes) {
  return RAND_bytes(bytes.data(), kSize) == 1;
}

void forget(std::optional<TicketKey>& key) {
  if (key) OPENSSL_cleanse(&*key, sizeof(TicketKey));
  key.reset();
}

bool is_named(const TicketKey& key, const unsigned char* name) {
  return std::memcmp(key.name.data(), name, TicketKey::kNameSize) == 0;
}

const EVP_CIPHER* cipher_of(const TicketKey& key) {
  return key.is_short ? EVP_aes_128_cbc() : EVP_aes_256_cbc();
}

bool set_up_mac(EVP_MAC_CTX* mac, TicketKey& key) {
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(),
                                        key.is_short ? key.mac.size() / 2 : key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  return EVP_MAC_CTX_set_params(mac, params) == 1;
}

// What OpenSSL's callback may answer.
constexpr int kFailed = -1, kUnknown = 0, kDone = 1, kDoneRenew = 2;

int encrypt_ticket(const TlsContext& context, unsigned char* name, unsigned char* iv,
                   EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  auto key = context.ticket_keys().current_key(context.session_timeout());
  if (!key) return kFailed;
  const EVP_CIPHER* kind = cipher_of(*key);
  if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(kind)) != 1) return kFailed;
  std::memcpy(name, key->name.data(), key->name.size());
  const bool ok = EVP_EncryptInit_ex(cipher, kind, nullptr, key->cipher.data(), iv) == 1;
  return ok && set_up_mac(mac, *key) ? kDone : kFailed;
}

int decrypt_ticket(const TlsContext& context, SSL* ssl, const unsigned char* name,
                   const unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  auto found = context.ticket_keys().find(name, context.session_timeout());
  if (!found) return kUnknown;
  TicketKey& key = found->key;
  if (EVP_DecryptInit_ex(cipher, cipher_of(key), nullptr, key.cipher.data(), iv) != 1 ||
      !set_up_mac(mac, key)) {
    return kFailed;
  }
  // Browsers use a TLS 1.3 ticket once (RFC 8446 C.4), so each resumption must bring the next one.
  return found->current && SSL_version(ssl) != TLS1_3_VERSION ? kDone : kDoneRenew;
}

/// The callback is that of the listener's default server; the keys are the chosen server's.
int on_ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                  EVP_MAC_CTX* mac, int encrypt) noexcept {
  const auto& context = *static_cast<TlsContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  return encrypt == 1 ? encrypt_ticket(context, name, iv, cipher, mac)
                      : decrypt_ticket(context, ssl, name, iv, cipher, mac);
}

Result<TicketKey> parse_key(std::string_view text, const NamedFile& file) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  TicketKey key{};
  std::memcpy(key.name.data(), bytes, std::min(text.size(), TicketKey::kNameSize));
  if (text.size() == 48) {
    key.is_short = true;
    std::memcpy(key.cipher.data(), bytes + 16, 16);
    std::memcpy(key.mac.data(), bytes + 32, 16);
    return key;
  }
  if (text.size() == 80) {
    std::memcpy(key.mac.data(), bytes + 16, 32);
    std::memcpy(key.cipher.data(), bytes + 48, 32);
    return key;
  }
  return make_error(ErrorKind::Invalid, Origin::Internal,
                    fmt::format("\"{}\" must be 48 or 80 bytes, it has {} (openssl rand 80 makes "
                                "one)",
                                file.path, text.size()));
}

}  // namespace

// ---- Keys that change

ChangingTicketKeys::~ChangingTicketKeys() {
  forget(current_);
  forget(previous_);
}

bool ChangingTicketKeys::make_current(bool keep_previous) {
  TicketKey made{};
  if (!fill(made.name) || !fill(made.cipher) || !fill(made.mac)) return false;
  forget(previous_);
  if (keep_previous) previous_ = current_;
  current_ = made;
  return true;
}

std::optional<TicketKey> ChangingTicketKeys::current_key(Duration lifetime) {
  const std::lock_guard guard(lock_);
  if (!rotate(clock.now(), lifetime)) return std::nullopt;
  return current_;
}

std::optional<TicketKeySource::Found> ChangingTicketKeys::find(const unsigned char* name,
                                                               Duration lifetime) {
  const std::lock_guard guard(lock_);
  if (!rotate(clock.now(), lifetime)) return std::nullopt;
  for (const auto* key : {&current_, &previous_}) {
    if (*key && is_named(**key, name)) return Found{**key, key == &current_};
  }
  return std::nullopt;
}

void ChangingTicketKeys::save(Packer& to) {
  const std::lock_guard guard(lock_);
  for (const auto* key : {&current_, &previous_})
    to.text(*key ? std::string_view(reinterpret_cast<const char*>(&**key), sizeof(TicketKey))
                 : std::string_view());
  for (const auto* time : times())
    to.number(static_cast<std::uint64_t>(time->time_since_epoch().count()));
}

bool ChangingTicketKeys::restore(Unpacker& from) {
  std::array<std::optional<TicketKey>, 2> keys;
  for (auto& key : keys) {
    const auto bytes = from.text();
    if (!bytes || (!bytes->empty() && bytes->size() != sizeof(TicketKey))) return false;
    if (bytes->empty()) continue;
    std::memcpy(&key.emplace(), bytes->data(), sizeof(TicketKey));
  }
  const auto first = from.number(), second = from.number();
  if (!second || !keys[0]) return false;
  const std::lock_guard guard(lock_);
  forget(current_);
  forget(previous_);
  current_ = keys[0];
  previous_ = keys[1];
  // The clock is the machine's, so it is theirs too
  *times()[0] = MonoTime(MonoTime::duration(static_cast<std::int64_t>(*first)));
  *times()[1] = MonoTime(MonoTime::duration(static_cast<std::int64_t>(*second)));
  for (auto& key : keys)
    forget(key);
  return true;
}

bool TicketKeys::State::rotate(MonoTime now, Duration) {
  const auto age = now - made_;
  if (current_ && age < kRotateAfter) return true;
  if (!make_current(age < 2 * kRotateAfter)) return false;
  made_ = now;
  return true;
}

bool RollingTicketKeys::rotate(MonoTime now, Duration lifetime) {
  const MonoTime until = now + lifetime;
  if (!current_) {
    if (!make_current(false)) return false;
    previous_until_ = current_until_ = until;  // none; but no change before that
  } else if (previous_until_ <= now) {
    if (!make_current(current_until_ > now)) return false;
    previous_until_ = std::max(current_until_, until);
    current_until_ = until;
  }
  current_until_ = std::max(current_until_, until);
  return true;
}

// ---- Keys from files

Result<std::unique_ptr<TicketKeySource>> GivenTicketKeys::read(const std::vector<NamedFile>& files,
                                                               SecretReader& secrets) {
  auto made = std::make_unique<GivenTicketKeys>();
  for (const auto& file : files) {
    auto text = secrets.read_secret(file.path);
    if (!text) return placed(text.error(), file.place);
    auto key = parse_key(*text, file);
    OPENSSL_cleanse(text->data(), text->size());
    if (!key) return placed(key.error(), file.place);
    made->keys_.push_back(*key);
    OPENSSL_cleanse(&*key, sizeof(TicketKey));
  }
  return std::unique_ptr<TicketKeySource>(std::move(made));
}

GivenTicketKeys::~GivenTicketKeys() {
  OPENSSL_cleanse(keys_.data(), keys_.size() * sizeof(TicketKey));
}

std::optional<TicketKey> GivenTicketKeys::current_key(Duration) {
  return keys_.front();
}

std::optional<TicketKeySource::Found> GivenTicketKeys::find(const unsigned char* name, Duration) {
  for (const auto& key : keys_) {
    if (is_named(key, name)) return Found{key, &key == &keys_.front()};
  }
  return std::nullopt;
}

TicketKeys::TicketKeys(const Clock& clock) : state_(std::make_unique<State>(clock)) {}
TicketKeys::~TicketKeys() = default;

void use_ticket_keys(SSL_CTX* context) {
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket_key);
}

}  // namespace gatescope::tls
