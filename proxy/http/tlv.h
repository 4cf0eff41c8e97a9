#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gatescope::http {

/// A byte of type, two of length, the value (proxy-protocol.txt, 2.2).
struct Tlv {
  std::uint8_t type;
  std::string_view value;
};

/// The next one, taken off `rest`; nullopt: it would end behind the end.
inline std::optional<Tlv> take_tlv(std::string_view& rest) {
  if (rest.size() < 3) return std::nullopt;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
  const std::size_t size = static_cast<std::size_t>(byte(1)) << 8 | byte(2);
  if (rest.size() < 3 + size) return std::nullopt;
  const Tlv taken{byte(0), rest.substr(3, size)};
  rest.remove_prefix(3 + size);
  return taken;
}

}  // namespace gatescope::http
