#pragma once

// The $ssl_ variables, from an SSL. Private to certs/.

#include <openssl/ssl.h>

#include <string_view>

#include "certs/tls_facts.h"

namespace gatescope::tls {

/// `server_name`: the SNI as it was sent.
std::optional<std::string_view> ask_ssl(SSL* ssl, TlsFact fact, std::string_view server_name,
                                        WallTime now, Arena& arena);
ClientVerdict client_verdict_of(SSL* ssl);

}  // namespace gatescope::tls
