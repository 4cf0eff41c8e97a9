#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "certs/openssl_ptr.h"
#include "proxy/base/result.h"

namespace gatescope::test {

/// A signed request, taken apart by other code than made it. `key`: by what it claims to be signed.
struct SignedRequest {
  nlohmann::json head, payload;  // payload null: POST-as-GET
  std::string signing_input, signature;
};
Result<SignedRequest> read_jws(const std::string& body);
/// Null: no key that ACME allows.
tls::KeyPtr key_of_jwk(const nlohmann::json& jwk);
/// RFC 7638.
std::string thumbprint_of_jwk(const nlohmann::json& jwk);
bool verify_jws(const SignedRequest& request, EVP_PKEY* key);
/// HS256, of an external account binding.
bool verify_mac(const SignedRequest& request, const std::string& key);

}  // namespace gatescope::test
