#pragma once

// geo: a variable whose value is looked up by an address.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "conf/schema.h"
#include "proxy/http/ip_network.h"

namespace gatescope::http {

/// Networks and their values; the longest network that holds an address counts. Filled while the
/// configuration loads, then only read.
class GeoNetworks {
 public:
  /// The value that this very network had before, which the new one replaces.
  std::optional<std::string> add(const IpNetwork& network, std::string value);
  bool remove(const IpNetwork& network);  // false: there was none
  const std::string* find(const IpAddress& address) const;

 private:
  struct Hash {
    std::size_t operator()(const IpAddress& address) const {
      return std::hash<std::string_view>()(
          {reinterpret_cast<const char*>(address.bytes.data()), address.bytes.size()});
    }
  };
  using OneLength = std::unordered_map<IpAddress, std::string, Hash>;
  using ByLength = std::map<unsigned, OneLength, std::greater<>>;  // the longest first
  ByLength v4_, v6_;
};

/// Ranges of IPv4 addresses (`ranges`): disjoint; one inside another takes its part out of it.
class GeoRanges {
 public:
  enum class Added { New, Replaced, Overlaps };
  Added add(std::uint32_t first, std::uint32_t last, std::string value);
  bool remove(std::uint32_t first, std::uint32_t last);  // false: no such range
  const std::string* find(std::uint32_t address) const;

 private:
  struct Range {
    std::uint32_t last;
    std::string value;
  };
  std::map<std::uint32_t, Range> by_first_;
};

/// "a.b.c.d-e.f.g.h"; nullopt when it is none.
std::optional<std::pair<std::uint32_t, std::uint32_t>> parse_range(std::string_view text);

/// The address behind proxies that are trusted: from the right of the X-Forwarded-For values (in
/// the order of their fields), the first that is not `trusted`, or only the last one when not
/// `recursive`. `address` itself when it is not trusted or nothing usable is there.
/// `port`: that was said with it ("192.0.2.1:443", "[2001:db8::1]:443"), 0 when none was.
IpAddress address_behind(IpAddress address, const std::vector<std::string_view>& forwarded,
                         const std::vector<IpNetwork>& trusted, bool recursive,
                         std::uint16_t* port = nullptr);

std::span<const conf::DirectiveSpec> geo_directives();

}  // namespace gatescope::http
