#include "proxy/http/ip_network.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <cstring>

#include "proxy/base/text.h"

namespace gatescope::http {

namespace {

constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

IpAddress of_v6(const std::uint8_t* bytes) {
  IpAddress address;
  if (std::memcmp(bytes, kMapped, sizeof kMapped) == 0) {
    std::memcpy(address.bytes.data(), bytes + 12, 4);
  } else {
    address.v6 = true;
    std::memcpy(address.bytes.data(), bytes, 16);
  }
  return address;
}

Error invalid_network(std::string_view text) {
  return make_error(
      ErrorKind::Invalid, Origin::Internal,
      fmt::format("invalid network \"{}\"; an address or address/length is needed, as "
                  "192.0.2.0/24 or 2001:db8::/32",
                  text));
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  char zero_ended[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof zero_ended) return std::nullopt;
  zero_ended[text.copy(zero_ended, text.size())] = '\0';
  std::uint8_t bytes[16];
  IpAddress address;
  if (::inet_pton(AF_INET, zero_ended, address.bytes.data()) == 1) return address;
  if (::inet_pton(AF_INET6, zero_ended, bytes) == 1) return of_v6(bytes);
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::of(const net::Endpoint& endpoint) {
  IpAddress address;
  if (endpoint.family() == net::Endpoint::Family::V4) {
    const auto* raw = reinterpret_cast<const sockaddr_in*>(endpoint.raw());
    std::memcpy(address.bytes.data(), &raw->sin_addr, 4);
    return address;
  }
  if (endpoint.family() == net::Endpoint::Family::V6)
    return of_v6(reinterpret_cast<const sockaddr_in6*>(endpoint.raw())->sin6_addr.s6_addr);
  return std::nullopt;
}

IpAddress IpAddress::v4(std::uint32_t number) {
  IpAddress address;
  for (int i = 0; i < 4; ++i)
    address.bytes[i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  return address;
}

std::uint32_t IpAddress::v4_number() const {
  return std::uint32_t(bytes[0]) << 24 | std::uint32_t(bytes[1]) << 16 |
         std::uint32_t(bytes[2]) << 8 | bytes[3];
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), text, sizeof text);
  return text;
}

IpAddress IpAddress::masked(unsigned length) const {
  IpAddress masked = *this;
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned begin = 8 * i;
    if (begin >= length)
      masked.bytes[i] = 0;
    else if (begin + 8 > length)
      masked.bytes[i] &= static_cast<std::uint8_t>(0xff00u >> (length - begin));
  }
  return masked;
}

Result<IpNetwork> IpNetwork::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return invalid_network(text);
  IpNetwork network{*address, address->bits()};
  if (slash != std::string_view::npos) {
    auto length = parse_unsigned(text.substr(slash + 1));
    // "::ffff:192.0.2.0/120" is a /24 of IPv4
    if (length && !address->v6 && text.find(':') != std::string_view::npos && *length >= 96)
      *length -= 96;
    if (!length || *length > address->bits()) return invalid_network(text);
    network.length = static_cast<unsigned>(*length);
    network.base = address->masked(network.length);
    network.had_host_bits = network.base != *address;
  }
  return network;
}

}  // namespace gatescope::http
