#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

struct evp_pkey_st;

namespace gatescope::acme {

/// The words of account_key and of key=: ecdsa[:256|384|521], rsa[:2048|3072|4096].
struct KeyType {
  bool rsa = false;
  unsigned bits = 256;
  bool operator==(const KeyType&) const = default;
};
/// Errors say what may be written.
Result<KeyType> parse_key_type(std::string_view text);
std::string to_string(const KeyType& type);

/// A key of an account or of a certificate. Immutable; shared by the loop and the lane that signs
/// with it. Making and signing may take long (RSA): on a lane.
class PrivateKey {
 public:
  using Ptr = std::shared_ptr<const PrivateKey>;
  static Result<Ptr> make(const KeyType& type);
  /// `path` is for the error. Of another kind than KeyType knows: Invalid.
  static Result<Ptr> from_pem(std::string_view pem, const std::string& path);
  ~PrivateKey();
  PrivateKey(const PrivateKey&) = delete;
  PrivateKey& operator=(const PrivateKey&) = delete;

  Result<std::string> pem() const;
  /// The public half as JSON, members in the order of RFC 7638.
  const std::string& jwk() const { return jwk_; }
  /// RFC 7638, base64url of SHA-256.
  const std::string& thumbprint() const { return thumbprint_; }
  /// "ES256", "RS256" ... (RFC 7518 3.1)
  const std::string& algorithm() const { return algorithm_; }
  /// As JWS has it: R and S side by side, not as DER.
  Result<std::string> sign(std::string_view bytes) const;
  evp_pkey_st* native() const { return key_; }

 private:
  explicit PrivateKey(evp_pkey_st* key) : key_(key) {}
  static Result<Ptr> adopt(evp_pkey_st* key, const std::string& path);
  bool describe_ec();
  bool describe_rsa();

  evp_pkey_st* const key_;  // owned
  std::string jwk_, thumbprint_, algorithm_;
  std::size_t half_ = 0;  // bytes of R and of S; 0: RSA
};

}  // namespace gatescope::acme
