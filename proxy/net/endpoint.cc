#include "proxy/net/endpoint.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

namespace gatescope::net {

namespace {

// Whatever the kernel gave, read as what its family says; memcpy keeps the aliasing rules happy.
template <class T>
T read_as(const sockaddr* address, socklen_t size) {
  T result{};
  std::memcpy(&result, address, std::min<std::size_t>(size, sizeof(T)));
  return result;
}

// The path in a unix address: ends at the first NUL or at the address' length, empty if unnamed.
std::string path_of(const sockaddr* address, socklen_t size) {
  constexpr auto kOffset = offsetof(sockaddr_un, sun_path);
  if (size <= kOffset) return {};
  const auto un = read_as<sockaddr_un>(address, size);
  const std::size_t room = std::min<std::size_t>(size - kOffset, sizeof(un.sun_path));
  return std::string(un.sun_path, strnlen(un.sun_path, room));
}

}  // namespace

Result<Endpoint> Endpoint::ip(std::string_view address, std::uint16_t port) {
  if (address.size() >= 2 && address.front() == '[' && address.back() == ']') {
    address = address.substr(1, address.size() - 2);
  }
  const std::string text(address);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    return of_sockaddr(reinterpret_cast<const sockaddr*>(&v4), sizeof(v4));
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    return of_sockaddr(reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
  }
  return make_error(ErrorKind::Invalid, Origin::Internal, "not an IP address: \"" + text + "\"");
}

Result<Endpoint> Endpoint::unix_path(std::string_view path) {
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  if (path.empty()) {
    return make_error(ErrorKind::Invalid, Origin::Internal, "empty path of a unix socket");
  }
  if (path.find('\0') != std::string_view::npos || path.size() >= sizeof(un.sun_path)) {
    return make_error(
        ErrorKind::Invalid, Origin::Internal,
        "the path of a unix socket may have 107 bytes: \"" + std::string(path) + "\"");
  }
  std::memcpy(un.sun_path, path.data(), path.size());
  const auto size = offsetof(sockaddr_un, sun_path) + path.size() + 1;
  return of_sockaddr(reinterpret_cast<const sockaddr*>(&un), static_cast<socklen_t>(size));
}

Endpoint Endpoint::of_sockaddr(const sockaddr* address, socklen_t length) {
  Endpoint result;
  if (length >= sizeof(sa_family_t) && address->sa_family == AF_UNIX) {
    const auto un = std::make_shared<sockaddr_un>();
    result.size_ = std::min<socklen_t>(length, sizeof(*un));
    std::memcpy(un.get(), address, result.size_);
    result.unix_ = un;
    return result;
  }
  result.size_ = std::min<socklen_t>(length, sizeof(result.inline_));
  std::memcpy(static_cast<void*>(&result.inline_), address, result.size_);
  return result;
}

Endpoint::Family Endpoint::family() const {
  if (size_ < sizeof(sa_family_t)) return Family::None;
  switch (raw()->sa_family) {
    case AF_INET:
      return Family::V4;
    case AF_INET6:
      return Family::V6;
    case AF_UNIX:
      return Family::Unix;
    default:
      return Family::None;
  }
}

std::uint16_t Endpoint::port() const {
  switch (family()) {
    case Family::V4:
      return ntohs(read_as<sockaddr_in>(raw(), size_).sin_port);
    case Family::V6:
      return ntohs(read_as<sockaddr_in6>(raw(), size_).sin6_port);
    default:
      return 0;
  }
}

std::string Endpoint::address() const {
  char text[INET6_ADDRSTRLEN] = "";
  switch (family()) {
    case Family::V4: {
      const auto v4 = read_as<sockaddr_in>(raw(), size_);
      return inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    }
    case Family::V6: {
      const auto v6 = read_as<sockaddr_in6>(raw(), size_);
      return inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    }
    case Family::Unix:
      return "unix:";
    case Family::None:
      break;
  }
  return {};
}

std::string Endpoint::path() const {
  return family() == Family::Unix ? path_of(raw(), size_) : "";
}

std::string Endpoint::to_string() const {
  switch (family()) {
    case Family::V4:
      return address() + ":" + std::to_string(port());
    case Family::V6:
      return "[" + address() + "]:" + std::to_string(port());
    case Family::Unix:
      return "unix:" + path_of(raw(), size_);
    case Family::None:
      break;
  }
  return {};
}

bool Endpoint::is_wildcard() const {
  switch (family()) {
    case Family::V4:
      return read_as<sockaddr_in>(raw(), size_).sin_addr.s_addr == htonl(INADDR_ANY);
    case Family::V6: {
      const auto v6 = read_as<sockaddr_in6>(raw(), size_);
      return IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr);
    }
    default:
      return false;
  }
}

Endpoint Endpoint::with_port(std::uint16_t port) const {
  Endpoint result = *this;
  if (family() == Family::V4) {
    auto v4 = read_as<sockaddr_in>(raw(), size_);
    v4.sin_port = htons(port);
    result.inline_.v4 = v4;
  } else if (family() == Family::V6) {
    auto v6 = read_as<sockaddr_in6>(raw(), size_);
    v6.sin6_port = htons(port);
    result.inline_.v6 = v6;
  }
  return result;
}

bool Endpoint::operator==(const Endpoint& other) const {
  if (family() != other.family()) return false;
  switch (family()) {
    case Family::V4: {
      const auto a = read_as<sockaddr_in>(raw(), size_);
      const auto b = read_as<sockaddr_in>(other.raw(), other.size_);
      return a.sin_port == b.sin_port && a.sin_addr.s_addr == b.sin_addr.s_addr;
    }
    case Family::V6: {
      const auto a = read_as<sockaddr_in6>(raw(), size_);
      const auto b = read_as<sockaddr_in6>(other.raw(), other.size_);
      return a.sin6_port == b.sin6_port && a.sin6_scope_id == b.sin6_scope_id &&
             std::memcmp(&a.sin6_addr, &b.sin6_addr, sizeof(a.sin6_addr)) == 0;
    }
    case Family::Unix:
      return path_of(raw(), size_) == path_of(other.raw(), other.size_);
    case Family::None:
      break;
  }
  return true;
}

Result<std::vector<Endpoint>> resolve_now(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (status != 0) {
    return make_error(ErrorKind::Unreachable, Origin::Internal,
                      "host not found: \"" + host + "\" (" + gai_strerror(status) + ")");
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  std::vector<Endpoint> result;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    const auto endpoint = Endpoint::of_sockaddr(entry->ai_addr, entry->ai_addrlen).with_port(port);
    if (std::find(result.begin(), result.end(), endpoint) == result.end()) {
      result.push_back(endpoint);
    }
  }
  return result;
}

}  // namespace gatescope::net
