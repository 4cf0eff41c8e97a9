#pragma once

// Certificates and their keys, from PEM files into an SSL_CTX. Private to certs/.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "certs/openssl_ptr.h"
#include "certs/tls_context.h"

namespace gatescope::tls {

/// The certificates of a PEM text, leaf first. `path` is for the error.
Result<std::vector<X509Ptr>> parse_certificates(std::string_view pem, const std::string& path);
/// Never asks at the terminal: an encrypted key that none of the passwords opens is an error that
/// says so.
Result<KeyPtr> parse_private_key(std::string_view pem, const std::string& path,
                                 std::span<const std::string> passwords = {});
/// ssl_password_file: one a line; none when the file is not named.
Result<std::vector<std::string>> read_passwords(const NamedFile& file, SecretReader& secrets);

/// Puts one pair, its chain included, into the context; several of different key types may follow
/// each other, and of one type the last counts. Returns the leaf's end, seconds since 1970. Errors
/// are nginx's, name the file and the directive's place.
Result<std::int64_t> load_pair(SSL_CTX* context, const TlsSettings::Pair& pair,
                               SecretReader& secrets, std::span<const std::string> passwords);

std::int64_t unix_time(const ASN1_TIME* time);

}  // namespace gatescope::tls
