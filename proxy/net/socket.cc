#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "proxy/net/socket_source.h"

namespace gatescope::net {

namespace {

bool set_option(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

// The file system's name of a unix endpoint, without the "unix:" that people read.
// A socket file outlives the process that bound it. It is stale when nobody answers behind it.
bool remove_if_stale(const Endpoint& endpoint) {
  const std::string path = endpoint.path();
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return false;
  if (::connect(probe.get(), endpoint.raw(), endpoint.raw_size()) == 0) return false;
  return errno == ECONNREFUSED && ::unlink(path.c_str()) == 0;
}

bool set_options(int fd, const Endpoint& endpoint, const ListenOptions& options) {
  if (endpoint.family() == Endpoint::Family::Unix) return true;
  bool ok = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.reuse_port) ok = ok && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (options.keepalive) ok = ok && set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  if (endpoint.family() == Endpoint::Family::V6) {
    ok = ok && set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6_only ? 1 : 0);
  }
  return ok;
}

}  // namespace

Result<UniqueFd> bind_listening_socket(const Endpoint& endpoint, const ListenOptions& options) {
  const std::string name = endpoint.to_string();
  UniqueFd fd(::socket(endpoint.raw()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return system_error(errno, "socket() " + name);
  if (!set_options(fd.get(), endpoint, options)) {
    return system_error(errno, "setsockopt() for " + name);
  }
  int status = ::bind(fd.get(), endpoint.raw(), endpoint.raw_size());
  const bool is_unix = endpoint.family() == Endpoint::Family::Unix;
  if (status != 0 && errno == EADDRINUSE && is_unix) {
    if (remove_if_stale(endpoint)) {
      status = ::bind(fd.get(), endpoint.raw(), endpoint.raw_size());
    } else {
      errno = EADDRINUSE;
    }
  }
  if (status != 0) {
    const int why = errno;
    auto error = system_error(why, "bind() to " + name);
    if (why == EADDRINUSE) error.kind = ErrorKind::Busy;
    return error;
  }
  if (is_unix && ::chmod(endpoint.path().c_str(), options.unix_mode) != 0) {
    return system_error(errno, "chmod() \"" + endpoint.path() + "\"");
  }
  if (::listen(fd.get(), options.backlog) != 0) {
    return system_error(errno, "listen() to " + name);
  }
  return fd;
}

}  // namespace gatescope::net
