#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "proxy/net/socket_source.h"

namespace gatescope::net {

namespace {

// The kernel does not tell it: the first who asks for the socket sets it anew.
constexpr int kUnknownBacklog = -1;

bool is_unix(const Endpoint& endpoint) {
  return endpoint.family() == Endpoint::Family::Unix;
}

/// A reload may change what can be changed of a socket that listens already; whether [::] takes
/// IPv4 too cannot be, in nginx neither.
Result<void> update(int fd, const Endpoint& endpoint, const ListenOptions& before,
                    const ListenOptions& now) {
  const auto failed = [&](const char* call) {
    return system_error(errno, std::string(call) + " for " + endpoint.to_string());
  };
  if (now.backlog != before.backlog && ::listen(fd, now.backlog) != 0) return failed("listen()");
  if (is_unix(endpoint)) {
    if (now.unix_mode != before.unix_mode && ::chmod(endpoint.path().c_str(), now.unix_mode) != 0)
      return failed("chmod()");
    return {};
  }
  const int keepalive = now.keepalive ? 1 : 0, reuse = now.reuse_port ? 1 : 0;
  if (now.keepalive != before.keepalive &&
      ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &keepalive, sizeof keepalive) != 0)
    return failed("setsockopt(SO_KEEPALIVE)");
  if (now.reuse_port != before.reuse_port &&
      ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &reuse, sizeof reuse) != 0)
    return failed("setsockopt(SO_REUSEPORT)");
  return {};
}

}  // namespace

std::string socket_name(const Endpoint& endpoint, const ListenOptions& options, unsigned loop) {
  const bool own = options.reuse_port && loop > 0 && !is_unix(endpoint);
  return own ? fmt::format("{}#{}", endpoint.to_string(), loop) : endpoint.to_string();
}

Result<UniqueFd> HeldSockets::listening_socket(const Endpoint& endpoint,
                                               const ListenOptions& options, unsigned loop) {
  const std::lock_guard lock(mutex_);
  const auto name = socket_name(endpoint, options, loop);
  auto at = held_.find(name);
  if (at == held_.end()) {
    auto bound = bind_listening_socket(endpoint, options);
    if (!bound) return bound.error();
    at = held_.emplace(name, Held{std::move(*bound), endpoint, options, loop}).first;
  } else {
    auto& held = at->second;
    if (auto updated = update(held.fd.get(), endpoint, held.options, options); !updated)
      return updated.error();
    held.options = options;
  }
  UniqueFd copy(::fcntl(at->second.fd.get(), F_DUPFD_CLOEXEC, 3));
  if (!copy) return system_error(errno, "fcntl(F_DUPFD_CLOEXEC)");
  return copy;
}

Result<void> HeldSockets::retain(const std::vector<std::string>& names) {
  const std::lock_guard lock(mutex_);
  std::erase_if(held_, [&](const auto& entry) {
    if (std::find(names.begin(), names.end(), entry.first) != names.end()) return false;
    if (is_unix(entry.second.endpoint) && !files_shared_)
      ::unlink(entry.second.endpoint.path().c_str());
    return true;
  });
  return {};
}

Result<void> HeldSockets::inherit(UniqueFd fd, unsigned loop) {
  const auto failed = [&](const char* call) {
    return system_error(errno, fmt::format("{} of the inherited descriptor {}", call, fd.get()));
  };
  const auto number = [&](int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(fd.get(), level, name, &value, &size) == 0 ? value : 0;
  };
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) return failed("fcntl(F_SETFD)");
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0)
    return failed("getsockname()");
  if (number(SOL_SOCKET, SO_ACCEPTCONN) == 0)
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      fmt::format("the inherited descriptor {} does not listen", fd.get()));
  auto endpoint = Endpoint::of_sockaddr(reinterpret_cast<sockaddr*>(&storage), size);
  ListenOptions options{.backlog = kUnknownBacklog,
                        .reuse_port = number(SOL_SOCKET, SO_REUSEPORT) != 0,
                        .ipv6_only = number(IPPROTO_IPV6, IPV6_V6ONLY) != 0,
                        .keepalive = number(SOL_SOCKET, SO_KEEPALIVE) != 0};
  struct stat file {};
  if (is_unix(endpoint) && ::stat(endpoint.path().c_str(), &file) == 0)
    options.unix_mode = file.st_mode & 07777;
  const std::lock_guard lock(mutex_);
  const auto name = socket_name(endpoint, options, loop);
  held_.insert_or_assign(name, Held{std::move(fd), std::move(endpoint), options, loop});
  return {};
}

std::vector<HeldSockets::Passed> HeldSockets::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Passed> passed;
  for (const auto& [name, held] : held_)
    passed.push_back({held.fd.get(), held.loop});
  return passed;
}

void HeldSockets::forget() {
  const std::lock_guard lock(mutex_);
  held_.clear();
}

}  // namespace gatescope::net
