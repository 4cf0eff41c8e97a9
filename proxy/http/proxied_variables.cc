// What a proxy before us said of the connection: $proxy_protocol_addr and its family.

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string>

#include "proxy/http/core_variables.h"
#include "proxy/http/exchange.h"
#include "proxy/http/tlv.h"

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
struct NamedType {
  std::string_view name;
  std::uint8_t type;
};
constexpr std::uint8_t kSsl = 0x20;
constexpr NamedType kTypes[] = {
    {"alpn", 0x01}, {"authority", 0x02}, {"unique_id", 0x05}, {"ssl", kSsl}, {"netns", 0x30}};
constexpr NamedType kSslTypes[] = {
    {"version", 0x21}, {"cn", 0x22}, {"cipher", 0x23}, {"sig_alg", 0x24}, {"key_alg", 0x25}};

/// "authority", or "0xea" with any number of leading zeros.
std::optional<std::uint8_t> type_of(std::string_view name, std::span<const NamedType> named) {
  for (const auto& known : named)
    if (known.name == name) return known.type;
  if (!name.starts_with("0x") || name.size() < 3) return std::nullopt;
  unsigned number = 0;
  const auto [end, error] = std::from_chars(name.data() + 2, name.data() + name.size(), number, 16);
  if (error != std::errc() || end != name.data() + name.size() || number > 0xff)
    return std::nullopt;
  return static_cast<std::uint8_t>(number);
}

/// Within the value of kSsl, behind a byte of flags and four of the verdict.
Value find_ssl(std::string_view rest, std::uint8_t type) {
  while (const auto tlv = take_tlv(rest))
    if (tlv->type == type) return tlv->value;
  return std::nullopt;
}

/// "authority", "0xea", "ssl_verify", "ssl_cn", "ssl_0x22".
Value tlv(Exchange& x, std::string_view name) {
  const auto& proxied = x.peer().proxied;
  if (!proxied) return std::nullopt;
  constexpr std::string_view kOfSsl = "ssl_";
  const bool of_ssl = name.starts_with(kOfSsl);
  const auto type = of_ssl ? kSsl : type_of(name, kTypes);
  if (!type) return std::nullopt;
  const auto held = std::find_if(proxied->tlvs.begin(), proxied->tlvs.end(),
                                 [&](const auto& one) { return one.first == *type; });
  if (held == proxied->tlvs.end()) return std::nullopt;
  const std::string_view value = held->second;
  if (!of_ssl) return value;
  if (value.size() < 5) return std::nullopt;
  name.remove_prefix(kOfSsl.size());
  if (name != "verify") {
    const auto inner = type_of(name, kSslTypes);
    return inner ? find_ssl(value.substr(5), *inner) : std::nullopt;
  }
  std::uint32_t verdict = 0;
  for (const char byte : value.substr(1, 4))
    verdict = verdict << 8 | static_cast<unsigned char>(byte);
  return x.arena().copy(std::to_string(verdict));
}

constexpr VariableSpec kProxiedVariables[] = {
    {.name = "proxy_protocol_addr", .get = address<&ProxiedClient::client>},
    {.name = "proxy_protocol_port", .get = port<&ProxiedClient::client>},
    {.name = "proxy_protocol_server_addr", .get = address<&ProxiedClient::server>},
    {.name = "proxy_protocol_server_port", .get = port<&ProxiedClient::server>},
    {.name = "proxy_protocol_tlv_", .get = tlv, .prefix = true},
};

}  // namespace

std::span<const VariableSpec> proxied_variables() {
  return kProxiedVariables;
}

}  // namespace gatescope::http
