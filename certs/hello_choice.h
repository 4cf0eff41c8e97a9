#pragma once

// Which certificate answers a client's hello. Private to certs/.

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "certs/tls_context.h"

namespace gatescope::tls {

/// What the hello callback asks and learns. The SSL's app data: lives in the TlsEngine.
struct HelloChoice {
  const ContextChooser* chooser = nullptr;  // used until the hello has come
  /// The listener's default, then the chosen one: kept, as it may be exchanged meanwhile.
  std::shared_ptr<const TlsContext> context;
  std::string server_name;  // as sent; empty: none
  bool proves = false;      // the context is of choose_proof(), with a protocol of its own

  /// As servers are named: lower case, no final dot.
  std::string lookup_name() const;
};

/// Makes connections of `context` ask their HelloChoice.
///
/// The switch happens in the client hello callback, not in the later server name callback (where
/// nginx has it): sessions and tickets are looked at in between, and with the default server's
/// session id context a session of one server could be resumed on another (CVE-2025-23419).
void use_hello_choice(SSL_CTX* context);

}  // namespace gatescope::tls
