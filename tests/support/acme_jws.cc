#include "tests/support/acme_jws.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>

#include "certs/encoding.h"

namespace gatescope::test {

using nlohmann::json;
using tls::BignumPtr;
using tls::Freed;
using tls::KeyPtr;

namespace {

std::string decode(std::string text) {
  for (char& c : text)
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  text.append((4 - text.size() % 4) % 4, '=');
  return tls::base64_decode(text).value_or("");
}

std::string encode(std::string_view bytes) {
  std::string text = tls::base64_encode(bytes);
  for (char& c : text)
    c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text.substr(0, text.find('='));
}

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

KeyPtr from_params(const char* type, OSSL_PARAM_BLD* build) {
  using Context = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
  using Params = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;
  const Params params(OSSL_PARAM_BLD_to_param(build));
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    return nullptr;
  return KeyPtr(key);
}

const EVP_MD* digest_for(const std::string& algorithm) {
  if (algorithm.ends_with("384")) return EVP_sha384();
  return algorithm.ends_with("512") ? EVP_sha512() : EVP_sha256();
}

}  // namespace

Result<SignedRequest> read_jws(const std::string& body) {
  const auto object = json::parse(body, nullptr, false);
  if (!object.is_object() || object.size() != 3 || !object.contains("protected") ||
      !object.contains("payload") || !object.contains("signature"))
    return make_error(ErrorKind::Invalid, Origin::Client, "not a flattened JWS");
  SignedRequest request;
  const auto head = object["protected"].get<std::string>();
  const auto payload = object["payload"].get<std::string>();
  if ((head + payload).find_first_of("+/=") != std::string::npos)
    return make_error(ErrorKind::Invalid, Origin::Client, "not base64url");
  request.head = json::parse(decode(head), nullptr, false);
  if (!payload.empty()) request.payload = json::parse(decode(payload), nullptr, false);
  if (!request.head.is_object() || request.payload.is_discarded())
    return make_error(ErrorKind::Invalid, Origin::Client, "no JSON in it");
  request.signing_input = head + "." + payload;
  request.signature = decode(object["signature"].get<std::string>());
  return request;
}

KeyPtr key_of_jwk(const json& jwk) {
  using Build = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
  const Build build(OSSL_PARAM_BLD_new());
  if (jwk.value("kty", "") == "EC") {
    const auto curve = jwk.value("crv", "");
    const std::size_t half = curve == "P-256" ? 32 : curve == "P-384" ? 48 : 66;
    const auto x = decode(jwk.value("x", "")), y = decode(jwk.value("y", ""));
    if (x.size() != half || y.size() != half) return nullptr;
    const std::string point = "\x04" + x + y;
    OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.c_str(), 0);
    OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                     point.size());
    return from_params("EC", build.get());
  }
  const auto n = decode(jwk.value("n", "")), e = decode(jwk.value("e", ""));
  const BignumPtr modulus(BN_bin2bn(bytes_of(n), static_cast<int>(n.size()), nullptr));
  const BignumPtr exponent(BN_bin2bn(bytes_of(e), static_cast<int>(e.size()), nullptr));
  OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  return from_params("RSA", build.get());
}

std::string thumbprint_of_jwk(const json& jwk) {
  json needed = json::object();  // its members come out sorted, without blanks
  for (const char* name : {"crv", "e", "kty", "n", "x", "y"})
    if (jwk.contains(name)) needed[name] = jwk[name];
  const auto text = needed.dump();
  std::string sum(32, '\0');
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(sum.data()), nullptr,
             EVP_sha256(), nullptr);
  return encode(sum);
}

bool verify_jws(const SignedRequest& request, EVP_PKEY* key) {
  using Signature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;
  using Digest = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
  std::string signature = request.signature;
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
    const std::size_t half = (static_cast<std::size_t>(EVP_PKEY_get_bits(key)) + 7) / 8;
    if (signature.size() != 2 * half) return false;
    const Signature pair(ECDSA_SIG_new());
    ECDSA_SIG_set0(pair.get(), BN_bin2bn(bytes_of(signature), static_cast<int>(half), nullptr),
                   BN_bin2bn(bytes_of(signature) + half, static_cast<int>(half), nullptr));
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(pair.get(), &der);
    if (size <= 0) return false;
    signature.assign(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
  }
  const Digest context(EVP_MD_CTX_new());
  const auto* digest = digest_for(request.head.value("alg", ""));
  return EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                          bytes_of(request.signing_input), request.signing_input.size()) == 1;
}

bool verify_mac(const SignedRequest& request, const std::string& key) {
  std::string mac(32, '\0');
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(request.signing_input),
       request.signing_input.size(), reinterpret_cast<unsigned char*>(mac.data()), nullptr);
  return mac == request.signature;
}

}  // namespace gatescope::test
