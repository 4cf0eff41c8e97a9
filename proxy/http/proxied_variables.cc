// What a proxy before us said of the connection: $proxy_protocol_addr and its family.

#include <charconv>
#include <string>

#include "proxy/http/core_variables.h"
#include "proxy/http/exchange.h"

namespace gatescope::http {

namespace {

using Value = std::optional<std::string_view>;

template <net::Endpoint ProxiedClient::*End>
Value address(Exchange& x, std::string_view) {
  const auto& proxied = x.peer().proxied;
  if (!proxied) return std::nullopt;
  return x.arena().copy(((*proxied).*End).address());
}

template <net::Endpoint ProxiedClient::*End>
Value port(Exchange& x, std::string_view) {
  const auto& proxied = x.peer().proxied;
  if (!proxied) return std::nullopt;
  return x.arena().copy(std::to_string(((*proxied).*End).port()));
}

/// Types of version 2 that have names, in nginx's words (proxy-protocol.txt, 2.2).
constexpr struct {
  std::string_view name;
  std::uint8_t type;
} kTypes[] = {{"alpn", 0x01},       {"authority", 0x02},   {"unique_id", 0x05},
              {"netns", 0x30},      {"ssl_version", 0x21}, {"ssl_cn", 0x22},
              {"ssl_cipher", 0x23}, {"ssl_sig_alg", 0x24}, {"ssl_key_alg", 0x25}};
constexpr std::uint8_t kSsl = 0x20;

/// "authority", "0xea", "ssl_verify".
Value tlv(Exchange& x, std::string_view name) {
  const auto& proxied = x.peer().proxied;
  if (!proxied) return std::nullopt;
  const bool verify = name == "ssl_verify";
  std::optional<std::uint8_t> type;
  if (verify) type = kSsl;
  for (const auto& known : kTypes)
    if (known.name == name) type = known.type;
  if (name.starts_with("0x") && name.size() == 4) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(name.data() + 2, name.data() + 4, number, 16);
    if (error == std::errc() && end == name.data() + 4) type = static_cast<std::uint8_t>(number);
  }
  if (!type) return std::nullopt;
  for (const auto& [held, value] : proxied->tlvs) {
    if (held != *type) continue;
    if (!verify) return std::string_view(value);
    if (value.size() < 5) return std::nullopt;
    std::uint32_t result = 0;
    for (int i = 1; i < 5; ++i)
      result = result << 8 | static_cast<unsigned char>(value[static_cast<std::size_t>(i)]);
    return x.arena().copy(std::to_string(result));
  }
  return std::nullopt;
}

constexpr VariableSpec kVariables[] = {
    {.name = "proxy_protocol_addr", .get = address<&ProxiedClient::client>},
    {.name = "proxy_protocol_port", .get = port<&ProxiedClient::client>},
    {.name = "proxy_protocol_server_addr", .get = address<&ProxiedClient::server>},
    {.name = "proxy_protocol_server_port", .get = port<&ProxiedClient::server>},
    {.name = "proxy_protocol_tlv_", .get = tlv, .prefix = true},
};

}  // namespace

std::span<const VariableSpec> proxied_variables() {
  return kVariables;
}

}  // namespace gatescope::http
