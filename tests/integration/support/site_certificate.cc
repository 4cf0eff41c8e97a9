#include "tests/integration/support/site_certificate.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include <stdexcept>

#include "tests/integration/support/process.h"

namespace gatescope::integration {

void make_certificate(const std::string& folder, const std::string& name) {
  const auto outcome = run_gatescope({"cert", "dev", "--dir", folder, "--name", name});
  if (outcome.status != 0) throw std::runtime_error("gatescope cert dev: " + outcome.err);
}

std::string dh_parameters() {
  // A key of a named group carries its parameters; making it takes no time, unlike a search for
  // primes
  char group[] = "ffdhe2048";
  const OSSL_PARAM wanted[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
      OSSL_PARAM_construct_end()};
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "DH", nullptr);
  EVP_PKEY* key = nullptr;
  BIO* text = BIO_new(BIO_s_mem());
  const bool made =
      EVP_PKEY_keygen_init(context) == 1 && EVP_PKEY_CTX_set_params(context, wanted) == 1 &&
      EVP_PKEY_generate(context, &key) == 1 && PEM_write_bio_Parameters(text, key) == 1;
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(text, &bytes);
  const std::string pem(bytes, made ? static_cast<std::size_t>(size) : 0);
  BIO_free(text);
  EVP_PKEY_free(key);
  EVP_PKEY_CTX_free(context);
  if (!made) throw std::runtime_error("cannot make DH parameters");
  return pem;
}

}  // namespace gatescope::integration
