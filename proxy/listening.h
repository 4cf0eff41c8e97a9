#pragma once

#include <map>
#include <string>
#include <vector>

#include "proxy/http/router.h"
#include "proxy/net/socket_source.h"

namespace gatescope::server {

/// A socket that a loop is to listen on.
struct ListenSocket {
  std::string name;        // net::socket_name
  net::BoundSocket bound;  // without descriptor: the loop has it already
};

/// What the running configuration listens on, by name; and for how many loops.
struct Listening {
  std::map<std::string, net::ListenOptions> sockets;
  std::string control;  // the name of the socket that commands ask; empty: none
  unsigned loops = 0;
  std::vector<std::string> names() const;
};

/// Every loop's sockets under one configuration, all of them bound.
struct BoundSockets {
  Listening listening;
  std::vector<std::vector<ListenSocket>> by_loop;
};

/// Asks `source` for what is not listened on yet, or differently. Blocking (the keeper is asked);
/// from any thread. On an error some may be bound: source.retain() lets them go.
Result<BoundSockets> bind_sockets(const http::RoutingTable& routing, unsigned loops,
                                  const Listening& now, net::SocketSource& source);

}  // namespace gatescope::server
