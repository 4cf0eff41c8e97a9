#pragma once

// ssl_conf_command: OpenSSL's own configuration words. Private to certs/.

#include <openssl/ssl.h>

#include <string>
#include <vector>

#include "certs/tls_context.h"

namespace gatescope::tls {

/// Runs the commands on the context, in the order of writing. A file that one names is read by
/// `secrets`: relative paths are the caller's to resolve. `groups` changes with "Groups" and
/// "Curves". Errors name command and place.
Result<void> run_conf_commands(SSL_CTX* context, const std::vector<TlsSettings::Command>& commands,
                               SecretReader& secrets, std::string& groups);

}  // namespace gatescope::tls
