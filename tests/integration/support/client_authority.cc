#include "tests/integration/support/client_authority.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace gatescope::integration {

namespace {

void need(bool done) {
  if (!done) throw std::runtime_error("OpenSSL does not make a client's certificate");
}

template <auto kFree>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;

Certificate make(const std::string& name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key,
                 long serial) {
  Certificate made(X509_new());
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  X509_NAME* subject = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(made.get(), issuer ? X509_get_subject_name(issuer) : subject);
  X509_set_pubkey(made.get(), key);
  if (!issuer) {
    X509_EXTENSION* ca =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
    need(ca != nullptr && X509_add_ext(made.get(), ca, -1) == 1);
    X509_EXTENSION_free(ca);
  }
  need(X509_sign(made.get(), issuer_key, EVP_sha256()) > 0);
  return made;
}

template <class Write>
std::string text_of(Write write) {
  const std::unique_ptr<BIO, Freed<BIO_free_all>> bio(BIO_new(BIO_s_mem()));
  need(write(bio.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  return text_of([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

}  // namespace

struct ClientAuthority::Parts {
  Key key{EVP_EC_gen("P-256")};
  Certificate certificate = make("clients", key.get(), nullptr, key.get(), 1);
  long last_serial = 1;
};

ClientAuthority::ClientAuthority() : parts_(std::make_unique<Parts>()) {}
ClientAuthority::~ClientAuthority() = default;

std::string ClientAuthority::certificate() const {
  return pem_of(parts_->certificate.get());
}

std::string ClientAuthority::issue(const std::string& name) {
  const Key key(EVP_EC_gen("P-256"));
  const auto made =
      make(name, key.get(), parts_->certificate.get(), parts_->key.get(), ++parts_->last_serial);
  return pem_of(made.get()) + text_of([&](BIO* bio) {
           return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
         });
}

std::string ClientAuthority::revocations(bool last) const {
  const std::unique_ptr<X509_CRL, Freed<X509_CRL_free>> list(X509_CRL_new());
  const std::unique_ptr<ASN1_TIME, Freed<ASN1_TIME_free>> from(X509_gmtime_adj(nullptr, -3600));
  const std::unique_ptr<ASN1_TIME, Freed<ASN1_TIME_free>> to(X509_gmtime_adj(nullptr, 3600));
  X509_CRL_set_version(list.get(), 1);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(parts_->certificate.get()));
  X509_CRL_set1_lastUpdate(list.get(), from.get());
  X509_CRL_set1_nextUpdate(list.get(), to.get());
  if (last) {
    const std::unique_ptr<ASN1_INTEGER, Freed<ASN1_INTEGER_free>> serial(ASN1_INTEGER_new());
    ASN1_INTEGER_set(serial.get(), parts_->last_serial);
    X509_REVOKED* revoked = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(revoked, serial.get());
    X509_REVOKED_set_revocationDate(revoked, from.get());
    need(X509_CRL_add0_revoked(list.get(), revoked) == 1);
  }
  X509_CRL_sort(list.get());
  need(X509_CRL_sign(list.get(), parts_->key.get(), EVP_sha256()) > 0);
  return text_of([&](BIO* bio) { return PEM_write_bio_X509_CRL(bio, list.get()); });
}

}  // namespace gatescope::integration
