#pragma once

#include <string>

#include "proxy/net/endpoint.h"

namespace gatescope::upstream {

/// proxy_send_proxy_protocol: what a connection to a server begins with.
enum class SendProxy { Off, V1, V2 };

/// The header of the PROXY protocol that tells of a client and the address that it came to; empty:
/// Off. A connection that began with it is that client's alone. Clients behind a unix socket have
/// no address to tell of.
std::string proxy_preamble(SendProxy version, const net::Endpoint& client,
                           const net::Endpoint& local);
/// That of a connection which is nobody's but ours.
std::string own_preamble(SendProxy version);

}  // namespace gatescope::upstream
