#include "tests/integration/support/account_key.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

namespace gatescope::integration {

namespace {

void demand(bool good) {
  if (!good) throw std::runtime_error("the request cannot be signed");
}

std::string base64url(const std::string& bytes) {
  std::string text(4 * (bytes.size() + 2) / 3 + 4, '\0');
  text.resize(static_cast<std::size_t>(EVP_EncodeBlock(
      reinterpret_cast<unsigned char*>(text.data()),
      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()))));
  while (text.ends_with('='))
    text.pop_back();
  for (char& c : text)
    c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::string sign_es256(EVP_PKEY* key, const std::string& text) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  demand(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1);
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::vector<unsigned char> der(200);
  std::size_t size = der.size();
  demand(EVP_DigestSign(context.get(), der.data(), &size, bytes, text.size()) == 1);
  const unsigned char* at = der.data();
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)), ECDSA_SIG_free);
  demand(pair != nullptr);
  std::string raw(64, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  demand(BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out, 32) == 32);
  demand(BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out + 32, 32) == 32);
  return raw;
}

}  // namespace

std::string sign_request(const std::string& key_pem, const std::string& url,
                         const std::string& account_url, const std::string& nonce,
                         const std::string& payload) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> file(
      BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())), BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(file.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  demand(key != nullptr);
  const nlohmann::json head{{"alg", "ES256"}, {"kid", account_url}, {"nonce", nonce}, {"url", url}};
  nlohmann::json jws{{"protected", base64url(head.dump())}, {"payload", base64url(payload)}};
  jws["signature"] = base64url(sign_es256(
      key.get(), jws["protected"].get<std::string>() + "." + jws["payload"].get<std::string>()));
  return jws.dump();
}

}  // namespace gatescope::integration
