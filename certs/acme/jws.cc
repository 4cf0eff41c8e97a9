#include "certs/acme/jws.h"

#include <openssl/hmac.h>

#include <array>

#include "certs/acme/base64url.h"
#include "certs/acme/json_text.h"
#include "certs/openssl_ptr.h"

namespace gatescope::acme {
namespace {

std::string flattened(std::string_view head, std::string_view payload, std::string_view signature) {
  return to_text(nlohmann::json{
      {"protected", head}, {"payload", payload}, {"signature", base64url(signature)}});
}

}  // namespace

Result<std::string> make_jws(const PrivateKey& key, const JwsHeader& header,
                             std::string_view payload) {
  nlohmann::json head{{"alg", key.algorithm()}, {"nonce", header.nonce}, {"url", header.url}};
  if (header.kid.empty()) {
    head["jwk"] = nlohmann::json::parse(key.jwk());
  } else {
    head["kid"] = header.kid;
  }
  const std::string protected_head = base64url(to_text(head));
  const std::string body = base64url(payload);
  const auto signature = key.sign(protected_head + "." + body);
  if (!signature) return signature.error();
  return flattened(protected_head, body, *signature);
}

Result<std::string> make_binding(const PrivateKey& key, std::string_view kid,
                                 std::string_view mac_key, std::string_view url) {
  const std::string head =
      base64url(to_text(nlohmann::json{{"alg", "HS256"}, {"kid", kid}, {"url", url}}));
  const std::string body = base64url(key.jwk());
  const std::string text = head + "." + body;
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  unsigned size = 0;
  if (HMAC(EVP_sha256(), mac_key.data(), static_cast<int>(mac_key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(),
           &size) == nullptr)
    return tls::ssl_error(ErrorKind::Internal, Origin::Internal, "HMAC() failed");
  return flattened(head, body, {reinterpret_cast<const char*>(mac.data()), size});
}

std::string key_authorization(std::string_view token, const PrivateKey& key) {
  return std::string(token) + "." + key.thumbprint();
}

}  // namespace gatescope::acme
