#include "proxy/upstream/proxy_preamble.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <string_view>

namespace gatescope::upstream {

namespace {

// HAProxy's proxy-protocol.txt, 2.2
constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr char kLocal = 0x20, kProxied = 0x21, kTcp4 = 0x11, kTcp6 = 0x21;

using Family = net::Endpoint::Family;

/// Both addresses are of one family on the wire: an IPv4 one beside an IPv6 one is mapped.
std::string text_of(const net::Endpoint& endpoint, bool v6) {
  return v6 && endpoint.family() == Family::V4 ? "::ffff:" + endpoint.address()
                                               : endpoint.address();
}

std::string bytes_of(const net::Endpoint& endpoint, bool v6) {
  std::string bytes(v6 ? 16 : 4, '\0');
  ::inet_pton(v6 ? AF_INET6 : AF_INET, text_of(endpoint, v6).c_str(), bytes.data());
  return bytes;
}

std::string number(std::uint16_t n) {
  return {static_cast<char>(n >> 8), static_cast<char>(n & 255)};
}

bool has_address(const net::Endpoint& endpoint) {
  return endpoint.family() == Family::V4 || endpoint.family() == Family::V6;
}

}  // namespace

std::string own_preamble(SendProxy version) {
  switch (version) {
    case SendProxy::Off:
      return {};
    case SendProxy::V1:
      return "PROXY UNKNOWN\r\n";
    case SendProxy::V2:
      return std::string(kSignature) + kLocal + std::string(3, '\0');
  }
  return {};
}

std::string proxy_preamble(SendProxy version, const net::Endpoint& client,
                           const net::Endpoint& local) {
  if (version == SendProxy::Off) return {};
  if (!has_address(client) || !has_address(local)) return own_preamble(version);
  const bool v6 = client.family() == Family::V6 || local.family() == Family::V6;
  if (version == SendProxy::V1)
    return fmt::format("PROXY {} {} {} {} {}\r\n", v6 ? "TCP6" : "TCP4", text_of(client, v6),
                       text_of(local, v6), client.port(), local.port());
  const auto addresses =
      bytes_of(client, v6) + bytes_of(local, v6) + number(client.port()) + number(local.port());
  return std::string(kSignature) + kProxied + (v6 ? kTcp6 : kTcp4) +
         number(static_cast<std::uint16_t>(addresses.size())) + addresses;
}

}  // namespace gatescope::upstream
