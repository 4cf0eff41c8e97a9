#include "certs/acme/private_key.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>

#include <algorithm>
#include <array>

#include "certs/acme/base64url.h"
#include "certs/issue_certificate.h"
#include "certs/key_pair.h"
#include "certs/openssl_ptr.h"
#include "proxy/base/text.h"

namespace gatescope::acme {
namespace {

using tls::BignumPtr;
using tls::Freed;
using SignaturePtr = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;
using DigestPtr = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;

Error key_failed(std::string_view what) {
  return tls::ssl_error(ErrorKind::Internal, Origin::Internal, what);
}

struct Curve {
  std::string_view group, name, algorithm;  // OpenSSL's, JWK's, JWS's
  std::size_t half;
};
constexpr Curve kCurves[] = {{"prime256v1", "P-256", "ES256", 32},
                             {"secp384r1", "P-384", "ES384", 48},
                             {"secp521r1", "P-521", "ES512", 66}};

/// Big-endian; `size` bytes with zeros before, 0: as many as it takes.
std::string number(const EVP_PKEY* key, const char* parameter, std::size_t size) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, parameter, &raw) != 1) return {};
  const BignumPtr value(raw);
  std::string bytes(size == 0 ? static_cast<std::size_t>(BN_num_bytes(raw)) : size, '\0');
  const int written = BN_bn2binpad(raw, reinterpret_cast<unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  return written < 0 ? std::string() : bytes;
}

const EVP_MD* digest_of(std::string_view algorithm) {
  if (algorithm == "ES384") return EVP_sha384();
  return algorithm == "ES512" ? EVP_sha512() : EVP_sha256();
}

/// ECDSA's signature from DER to R and S of fixed size (RFC 7518 3.4).
std::string side_by_side(std::string_view der, std::size_t half) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const SignaturePtr signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!signature) return {};
  std::string bytes(2 * half, '\0');
  auto* out = reinterpret_cast<unsigned char*>(bytes.data());
  const int size = static_cast<int>(half);
  const bool ok = BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, size) == size &&
                  BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + half, size) == size;
  return ok ? bytes : std::string();
}

}  // namespace

Result<KeyType> parse_key_type(std::string_view text) {
  const auto colon = text.find(':');
  const auto kind = text.substr(0, colon);
  KeyType type;
  type.rsa = kind == "rsa";
  type.bits = type.rsa ? 2048 : 256;
  if (colon != std::string_view::npos)
    type.bits = static_cast<unsigned>(parse_unsigned(text.substr(colon + 1)).value_or(0));
  const bool known = type.rsa ? type.bits == 2048 || type.bits == 3072 || type.bits == 4096
                              : type.bits == 256 || type.bits == 384 || type.bits == 521;
  if ((type.rsa || kind == "ecdsa") && known) return type;
  return make_error(
      ErrorKind::Invalid, Origin::Internal,
      fmt::format("invalid key \"{}\", use ecdsa:256, ecdsa:384, ecdsa:521, rsa:2048, "
                  "rsa:3072 or rsa:4096",
                  text));
}

std::string to_string(const KeyType& type) {
  return fmt::format("{}:{}", type.rsa ? "rsa" : "ecdsa", type.bits);
}

PrivateKey::~PrivateKey() {
  EVP_PKEY_free(key_);
}

Result<PrivateKey::Ptr> PrivateKey::make(const KeyType& type) {
  ERR_clear_error();
  EVP_PKEY* const key = type.rsa           ? EVP_RSA_gen(type.bits)
                        : type.bits == 256 ? EVP_EC_gen("P-256")
                        : type.bits == 384 ? EVP_EC_gen("P-384")
                                           : EVP_EC_gen("P-521");
  if (key == nullptr) return key_failed("making a key failed");
  return adopt(key, "(new)");
}

Result<PrivateKey::Ptr> PrivateKey::from_pem(std::string_view pem, const std::string& path) {
  auto key = tls::parse_private_key(pem, path);
  if (!key) return key.error();
  return adopt(key->release(), path);
}

Result<PrivateKey::Ptr> PrivateKey::adopt(evp_pkey_st* key, const std::string& path) {
  std::shared_ptr<PrivateKey> made(new PrivateKey(key));
  const bool known = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA  ? made->describe_rsa()
                     : EVP_PKEY_get_base_id(key) == EVP_PKEY_EC ? made->describe_ec()
                                                                : false;
  if (!known)
    return make_error(
        ErrorKind::Invalid, Origin::Internal,
        fmt::format("the key \"{}\" is of no kind that is known here, make one with ecdsa or rsa",
                    path));
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum;
  unsigned size = 0;
  if (EVP_Digest(made->jwk_.data(), made->jwk_.size(), sum.data(), &size, EVP_sha256(), nullptr) !=
      1)
    return key_failed("EVP_Digest() failed");
  made->thumbprint_ = base64url({reinterpret_cast<const char*>(sum.data()), size});
  return Ptr(std::move(made));
}

bool PrivateKey::describe_ec() {
  char group[32] = "";
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key_, group, sizeof group, &size) != 1) return false;
  for (const auto& curve : kCurves) {
    if (curve.group != std::string_view(group, size)) continue;
    half_ = curve.half;
    algorithm_ = curve.algorithm;
    jwk_ = fmt::format(R"({{"crv":"{}","kty":"EC","x":"{}","y":"{}"}})", curve.name,
                       base64url(number(key_, OSSL_PKEY_PARAM_EC_PUB_X, half_)),
                       base64url(number(key_, OSSL_PKEY_PARAM_EC_PUB_Y, half_)));
    return true;
  }
  return false;
}

bool PrivateKey::describe_rsa() {
  if (EVP_PKEY_get_bits(key_) < 2048) return false;
  algorithm_ = "RS256";
  jwk_ = fmt::format(R"({{"e":"{}","kty":"RSA","n":"{}"}})",
                     base64url(number(key_, OSSL_PKEY_PARAM_RSA_E, 0)),
                     base64url(number(key_, OSSL_PKEY_PARAM_RSA_N, 0)));
  return true;
}

Result<std::string> PrivateKey::pem() const {
  return tls::to_pem(key_);
}

Result<std::string> PrivateKey::sign(std::string_view bytes) const {
  ERR_clear_error();
  const DigestPtr context(EVP_MD_CTX_new());
  const auto* text = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t size = 0;
  if (!context ||
      EVP_DigestSignInit(context.get(), nullptr, digest_of(algorithm_), nullptr, key_) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, text, bytes.size()) != 1)
    return key_failed("EVP_DigestSign() failed");
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, text,
                     bytes.size()) != 1)
    return key_failed("EVP_DigestSign() failed");
  signature.resize(size);
  if (half_ == 0) return signature;
  auto fixed = side_by_side(signature, half_);
  if (fixed.empty()) return key_failed("d2i_ECDSA_SIG() failed");
  return fixed;
}

}  // namespace gatescope::acme
