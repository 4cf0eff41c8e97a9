#pragma once

// What a request on a TLS address must fulfil before anything else happens to it.

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/log.h"
#include "proxy/http/message.h"
#include "proxy/http/router.h"

namespace gatescope::http {

struct TlsRefusal {
  int status;  // for error_page: 421, or one that is shown as 400 (495, 496, 497)
  std::string reason;
};

/// Host names another server than the one that shook hands, and that one verifies clients: 421
/// (RFC 9110 15.5.20), said by the server that shook hands. `host` as it was sent but lower case
/// and without port; `found` is its server.
std::optional<TlsRefusal> misdirected(const ListenAddress& address,
                                      const ConnectionInfo& connection, std::string_view host,
                                      const VirtualServer& found);

/// Plain HTTP on a TLS port (497), a client's certificate that is bad (495) or missing (496). A
/// session that was judged so is not resumed.
std::optional<TlsRefusal> refused_by_tls(const ListenAddress& address,
                                         const ConnectionInfo& connection,
                                         const VirtualServer& server);

}  // namespace gatescope::http
