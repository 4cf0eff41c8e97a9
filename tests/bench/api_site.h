#pragma once

#include <string>

#include "tests/bench/server.h"
#include "tests/bench/wire.h"

namespace gatescope::bench {

/// A server with the API over TLS, a database of its own and two sequences in it: A000040 and
/// A000045. Static files of types that it compresses lie in html/.
struct ApiSite {
  ApiSite(const Program& program, unsigned loops);
  /// The body, asked for until it is there: a database is made first. Empty: it does not come.
  std::string fetch(SSL_CTX* tls, const std::string& path) const;

  const std::uint16_t port = free_port();
  MeasuredServer server;
  bool up = false;
};

}  // namespace gatescope::bench
