#include "certs/issue_certificate.h"

#include <arpa/inet.h>
#include <openssl/pem.h>

#include <array>

#include "proxy/base/text.h"

namespace gatescope::tls {
namespace {

using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;

Error failed(std::string_view what) {
  return ssl_error(ErrorKind::Internal, Origin::Internal, what);
}

std::string ip_text(std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text;
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  if (bytes.size() != 4 && bytes.size() != 16) return {};
  return inet_ntop(family, bytes.data(), text.data(), text.size()) == nullptr ? "" : text.data();
}

bool set_serial(X509* certificate) {
  // 127 random bits: positive, at most 20 bytes, nothing to guess (CA/Browser Forum asks for 64).
  const BignumPtr number(BN_new());
  return number && BN_rand(number.get(), 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_validity(X509* certificate, const CertificateRequest& request) {
  const auto seconds = [](WallTime t) {
    return std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count();
  };
  return ASN1_TIME_set(X509_getm_notBefore(certificate), seconds(request.not_before)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate),
                       seconds(request.not_before + request.lifetime)) != nullptr;
}

bool set_subject(X509* certificate, const std::string& common_name) {
  // A common name has at most 64 characters (RFC 5280, ub-common-name); nobody reads it any more.
  const std::string shown = common_name.substr(0, 64);
  const auto* text = reinterpret_cast<const unsigned char*>(shown.data());
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, text,
                                    static_cast<int>(shown.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool add_names(X509* certificate, const std::vector<std::string>& names) {
  if (names.empty()) return true;
  const GeneralNamesPtr list = general_names(names);
  return list && X509_add1_ext_i2d(certificate, NID_subject_alt_name, list.get(), 0,
                                   X509V3_ADD_DEFAULT) == 1;
}

/// id-pe-acmeIdentifier, critical: an OCTET STRING with the digest in it.
bool add_acme_proof(X509* certificate, const std::string& digest) {
  if (digest.empty()) return true;
  using Object = std::unique_ptr<ASN1_OBJECT, Freed<ASN1_OBJECT_free>>;
  using Octets = std::unique_ptr<ASN1_OCTET_STRING, Freed<ASN1_OCTET_STRING_free>>;
  const std::string der = {'\x04', static_cast<char>(digest.size())};
  const std::string value = der + digest;
  const Object id(OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1));
  const Octets octets(ASN1_OCTET_STRING_new());
  if (!id || !octets ||
      ASN1_OCTET_STRING_set(octets.get(), reinterpret_cast<const unsigned char*>(value.data()),
                            static_cast<int>(value.size())) != 1)
    return false;
  const Extension extension(X509_EXTENSION_create_by_OBJ(nullptr, id.get(), 1, octets.get()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool add_extensions(X509* certificate, X509* issuer, const CertificateRequest& request) {
  const auto add = [&](int nid, const char* value) {
    return add_extension(certificate, issuer, nid, value);
  };
  const bool purpose =
      request.is_ca ? add(NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                          add(NID_key_usage, "critical,keyCertSign,cRLSign")
                    : add(NID_basic_constraints, "critical,CA:FALSE") &&
                          add(NID_key_usage, "critical,digitalSignature") &&
                          add(NID_ext_key_usage, request.for_client ? "clientAuth" : "serverAuth");
  return purpose && add(NID_subject_key_identifier, "hash") &&
         add(NID_authority_key_identifier, "keyid:always") &&
         add_names(certificate, request.names) && add_acme_proof(certificate, request.acme_proof);
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

std::string ip_bytes(const std::string& name) {
  std::array<char, 16> bytes;
  if (inet_pton(AF_INET, name.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1) return {bytes.data(), 16};
  return {};
}

/// Built from values, not from OpenSSL's "DNS:a,IP:b" text, into which a name could smuggle more.
GeneralNamesPtr general_names(const std::vector<std::string>& names) {
  GeneralNamesPtr list(GENERAL_NAMES_new());
  if (!list) return nullptr;
  for (const auto& name : names) {
    const std::string ip = ip_bytes(name);
    const std::string& value = ip.empty() ? name : ip;
    GENERAL_NAME* entry = GENERAL_NAME_new();
    if (entry == nullptr || sk_GENERAL_NAME_push(list.get(), entry) == 0) return nullptr;
    // An IP address is an OCTET STRING, a name an IA5String; OpenSSL has one struct for both.
    ASN1_STRING* text = ip.empty() ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();
    if (text == nullptr) return nullptr;
    GENERAL_NAME_set0_value(entry, ip.empty() ? GEN_DNS : GEN_IPADD, text);
    if (ASN1_STRING_set(text, value.data(), static_cast<int>(value.size())) != 1) return nullptr;
  }
  return list;
}

Result<X509Ptr> issue_certificate(const CertificateRequest& request, EVP_PKEY* key, X509* issuer,
                                  EVP_PKEY* issuer_key) {
  ERR_clear_error();
  X509Ptr certificate(X509_new());
  X509* const made = certificate.get();
  if (made == nullptr) return failed("X509_new() failed");
  if (issuer == nullptr) {
    issuer = made;
    issuer_key = key;
  }
  const bool ok = X509_set_version(made, X509_VERSION_3) == 1 && set_serial(made) &&
                  set_validity(made, request) && set_subject(made, request.common_name) &&
                  X509_set_issuer_name(made, X509_get_subject_name(issuer)) == 1 &&
                  X509_set_pubkey(made, key) == 1 && add_extensions(made, issuer, request) &&
                  X509_sign(made, issuer_key, EVP_sha256()) > 0;
  if (!ok) return failed("making a certificate failed");
  return certificate;
}

Result<KeyPtr> make_p256_key() {
  ERR_clear_error();
  KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return failed("EVP_EC_gen(\"P-256\") failed");
  return key;
}

Result<std::string> to_pem(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1) {
    return failed("PEM_write_bio_X509() failed");
  }
  return text_of(bio.get());
}

Result<std::string> to_pem(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  if (!bio ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failed("PEM_write_bio_PKCS8PrivateKey() failed");
  }
  return text_of(bio.get());
}

std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  const GeneralNamesPtr list(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const int count = list ? sk_GENERAL_NAME_num(list.get()) : 0;
  for (int i = 0; i < count; ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(list.get(), i), &type));
    if (type != GEN_DNS && type != GEN_IPADD) continue;
    const std::string_view bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                                 static_cast<std::size_t>(ASN1_STRING_length(value)));
    names.push_back(type == GEN_DNS ? std::string(bytes) : ip_text(bytes));
  }
  return names;
}

std::string normal_name(const std::string& name) {
  const std::string ip = ip_bytes(name);
  return ip.empty() ? lower(name) : ip_text(ip);
}

}  // namespace gatescope::tls
