#include "proxy/listening.h"

#include <fcntl.h>

#include <cerrno>

namespace gatescope::server {

namespace {

/// A wildcard takes the clients of all addresses with its port; the routing table tells them apart.
bool covered(const http::RoutingTable& routing, const http::ListenAddress& address) {
  const auto& own = address.endpoint;
  for (const auto& other : routing.addresses)
    if (other.get() != &address && other->endpoint.is_wildcard() && !own.is_wildcard() &&
        other->endpoint.family() == own.family() && other->endpoint.port() == own.port())
      return true;
  return false;
}

/// Sockets that were asked for now, by name: another loop gets a descriptor of the same one.
class Asked {
 public:
  explicit Asked(net::SocketSource& source) : source_(source) {}
  Result<UniqueFd> ask(const std::string& name, const http::ListenAddress& address, unsigned loop) {
    auto at = sockets_.find(name);
    if (at == sockets_.end()) {
      auto fd = source_.listening_socket(address.endpoint, address.options, loop);
      if (!fd) return fd.error();
      at = sockets_.emplace(name, std::move(*fd)).first;
    }
    if (!at->second) return UniqueFd();  // a simulated world has none
    UniqueFd copy(::fcntl(at->second.get(), F_DUPFD_CLOEXEC, 3));
    if (!copy) return system_error(errno, "fcntl(F_DUPFD_CLOEXEC)");
    return copy;
  }

 private:
  net::SocketSource& source_;
  std::map<std::string, UniqueFd> sockets_;
};

}  // namespace

std::vector<std::string> Listening::names() const {
  std::vector<std::string> names;
  for (const auto& [name, options] : sockets)
    names.push_back(name);
  if (!control.empty()) names.push_back(control);
  return names;
}

Result<BoundSockets> bind_sockets(const http::RoutingTable& routing, unsigned loops,
                                  const Listening& now, net::SocketSource& source) {
  BoundSockets bound;
  bound.listening.loops = loops;
  bound.by_loop.resize(loops);
  Asked asked(source);
  for (const auto& address : routing.addresses) {
    if (covered(routing, *address)) continue;
    for (unsigned loop = 0; loop < loops; ++loop) {
      ListenSocket socket{net::socket_name(address->endpoint, address->options, loop),
                          {UniqueFd(), address->endpoint, address->options}};
      const auto running = now.sockets.find(socket.name);
      const bool same = running != now.sockets.end() && running->second == address->options;
      if (!same || loop >= now.loops) {
        auto fd = asked.ask(socket.name, *address, loop);
        if (!fd) return fd.error();
        socket.bound.fd = std::move(*fd);
      }
      bound.listening.sockets[socket.name] = address->options;
      bound.by_loop[loop].push_back(std::move(socket));
    }
  }
  return bound;
}

}  // namespace gatescope::server
