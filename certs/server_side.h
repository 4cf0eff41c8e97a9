#pragma once

// One connection's server, as the callbacks of a client's SSL_CTX find it (SSL_get_app_data).
// Private to certs/.

#include <memory>
#include <optional>
#include <string>

#include "certs/client_tls.h"
#include "certs/openssl_ptr.h"

namespace gatescope::tls {

struct ServerSide {
  std::shared_ptr<const ClientTls> tls;
  ServerIdentity identity;

  /// Before the handshake: the name, and a session to take up. False: OpenSSL has no memory.
  bool prepare(SSL* ssl);
  /// After it: nullopt, or what is wrong with the certificate, in nginx's words.
  std::optional<std::string> verdict(SSL* ssl) const;
};

}  // namespace gatescope::tls
