#pragma once

// Owners for OpenSSL's objects, and its error queue as text. Private to certs/.

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

#include "conf/source.h"
#include "proxy/base/result.h"

namespace gatescope::tls {

template <auto kFree>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;
using SslCtxPtr = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Freed<SSL_free>>;
using CrlPtr = std::unique_ptr<X509_CRL, Freed<X509_CRL_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION_free>>;
using BignumPtr = std::unique_ptr<BIGNUM, Freed<BN_free>>;

/// For SSL_CTX_set_verify: the handshake goes on whatever is wrong. Who asks SSL_get_verify_result
/// when it is done can tell the client (400, $ssl_client_verify) or the log what it was.
inline int judge_later(int, X509_STORE_CTX*) noexcept {
  return 1;
}

/// Empties the error queue into nginx's form: `what (SSL: error:0A000...:...:... error:...)`, or
/// just `what` when the queue is empty.
std::string with_ssl_errors(std::string_view what);

/// The same as an Error.
Error ssl_error(ErrorKind kind, Origin origin, std::string_view what);

/// The configuration's fault: Invalid, with OpenSSL's errors behind `what`.
Error config_error(std::string_view what);
/// With " in FILE:LINE:COLUMN" of the directive that named the file, unless it stands nowhere.
Error placed(const Error& error, const conf::Place& place);

/// The last error says that a PEM text has no further object; so it has been read whole.
bool is_end_of_pem();

/// A read-only BIO on `text`, which must outlive it.
BioPtr bio_on(std::string_view text);

}  // namespace gatescope::tls
