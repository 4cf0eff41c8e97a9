#pragma once

// Certificates and their keys, from PEM files into an SSL_CTX. Private to certs/.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "certs/openssl_ptr.h"
#include "certs/tls_context.h"

namespace gatescope::tls {

/// The certificates of a PEM text, leaf first. `path` is for the error.
Result<std::vector<X509Ptr>> parse_certificates(std::string_view pem, const std::string& path);
/// Never asks at the terminal: an encrypted key is an error that says so.
Result<KeyPtr> parse_private_key(std::string_view pem, const std::string& path);

/// Puts one pair, its chain included, into the context; several of different key types may follow
/// each other. Returns the leaf's end, seconds since 1970. Errors are nginx's and name the file.
Result<std::int64_t> load_pair(SSL_CTX* context, const TlsSettings::Pair& pair,
                               SecretReader& secrets);

std::int64_t unix_time(const ASN1_TIME* time);

}  // namespace gatescope::tls
