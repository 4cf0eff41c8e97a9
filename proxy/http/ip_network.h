#pragma once

// IP addresses as numbers, and networks of them: for geo, allow and deny, set_real_ip_from.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/net/endpoint.h"

namespace gatescope::http {

/// An address in network order. An IPv4 address that came as IPv6 (::ffff:a.b.c.d) is an IPv4
/// address here. A value.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  bool v6 = false;
  bool operator==(const IpAddress&) const = default;

  static std::optional<IpAddress> parse(std::string_view text);
  /// nullopt: a unix socket.
  static std::optional<IpAddress> of(const net::Endpoint& endpoint);
  static IpAddress v4(std::uint32_t number);
  std::uint32_t v4_number() const;  // of an IPv4 address
  std::string to_string() const;
  unsigned bits() const { return v6 ? 128 : 32; }
  IpAddress masked(unsigned length) const;  // the first `length` bits, zeros behind them
};

/// "192.0.2.0/24", "2001:db8::/32", or one address.
struct IpNetwork {
  IpAddress base;
  unsigned length = 0;
  bool had_host_bits = false;  // "low address bits are meaningless": they were cleared
  static Result<IpNetwork> parse(std::string_view text);
  bool contains(const IpAddress& address) const {
    return address.v6 == base.v6 && address.masked(length) == base;
  }
};

}  // namespace gatescope::http
