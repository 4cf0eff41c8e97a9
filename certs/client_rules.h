#pragma once

// Whose certificates are believed: ssl_verify_client and its family. Private to certs/.

#include <openssl/ssl.h>

#include <string>

#include "certs/tls_context.h"

namespace gatescope::tls {

/// Makes `context` ask clients for certificates and judge them, as the settings say. A bad
/// certificate does not end the handshake: the verdict is kept for the requests (TlsFacts), as in
/// nginx. Returns a digest of what the verdict rests on, empty when none is asked for. Errors name
/// file and place.
Result<std::string> set_client_rules(SSL_CTX* context, const TlsSettings& settings,
                                     SecretReader& secrets);

/// Authorities that `context` believes, and what they have revoked (`crl` may be empty). Errors
/// name file and place.
Result<void> trust(SSL_CTX* context, const NamedFile& authorities, const NamedFile& crl,
                   SecretReader& secrets);

}  // namespace gatescope::tls
