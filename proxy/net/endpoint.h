#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"

namespace gatescope::net {

/// An address to listen on or connect to: IPv4, IPv6 or a unix socket path (at most 107 bytes). A
/// value.
class Endpoint {
 public:
  enum class Family { None, V4, V6, Unix };
  Endpoint() = default;
  /// "127.0.0.1", "::1" (with or without brackets) and a port.
  static Result<Endpoint> ip(std::string_view address, std::uint16_t port);
  static Result<Endpoint> unix_path(std::string_view path);
  static Endpoint of_sockaddr(const sockaddr* address, socklen_t length);

  Family family() const;
  std::uint16_t port() const;
  /// Only the address: "127.0.0.1", "::1", "unix:" for a client behind a unix socket (as nginx's
  /// $remote_addr).
  std::string address() const;
  /// "127.0.0.1:80", "[::1]:80", "unix:/path".
  std::string to_string() const;
  /// "/path"; "" when it is no unix socket's.
  std::string path() const;
  bool is_wildcard() const;  // 0.0.0.0 or ::
  Endpoint with_port(std::uint16_t port) const;
  const sockaddr* raw() const {
    return unix_ ? reinterpret_cast<const sockaddr*>(unix_.get()) : &inline_.any;
  }
  socklen_t raw_size() const { return size_; }
  bool operator==(const Endpoint& other) const;

 private:
  // Four of them are kept for each connection, and few are unix sockets: those share one immutable
  // address, the others need none of its 110 bytes.
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6{};
  } inline_;
  socklen_t size_ = 0;
  std::shared_ptr<const sockaddr_un> unix_;
};

/// Blocking name lookup, for start-up and reload (off the loop): every address of `host`, port set.
Result<std::vector<Endpoint>> resolve_now(const std::string& host, std::uint16_t port);

}  // namespace gatescope::net
