#pragma once

// What differs between OpenSSL 3.0 (Debian 12) and 3.5 (Debian 13); nowhere else is the version
// asked for. Private to certs/.

#include <openssl/ssl.h>

#include <string>

namespace gatescope::tls {

/// As nginx's $ssl_curve and $ssl_curves: OpenSSL's short name of a group, else the name that TLS
/// has for it (X25519MLKEM768), else the number.
std::string name_of_group(SSL* ssl, int id);
/// $ssl_sigalg, $ssl_client_sigalg: "ecdsa_secp256r1_sha256"; null when there was no signature, and
/// before 3.5.
const char* signature_name(SSL* ssl);
const char* peer_signature_name(SSL* ssl);

}  // namespace gatescope::tls
