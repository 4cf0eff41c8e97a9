#include "proxy/upstream/proxy_bind.h"

#include <fmt/format.h>

#include "proxy/base/text.h"

namespace gatescope::upstream {

namespace {

/// "127.0.0.1", "127.0.0.1:80", "::1", "[::1]:80".
Result<net::Endpoint> endpoint_of(std::string_view text) {
  if (auto plain = net::Endpoint::ip(text, 0)) return plain;
  const auto colon = text.rfind(':');
  const auto port =
      parse_unsigned(text.substr(colon == std::string_view::npos ? text.size() : colon + 1));
  const auto host = text.substr(0, colon);
  const bool bare_v6 = host.find(':') != std::string_view::npos && !host.starts_with('[');
  if (port && *port <= 65535 && !bare_v6)
    if (auto with_port = net::Endpoint::ip(host, static_cast<std::uint16_t>(*port)))
      return with_port;
  return make_error(ErrorKind::Invalid, Origin::Internal,
                    fmt::format("invalid local address \"{}\"", text));
}

}  // namespace

Result<net::LocalAddress> ProxyBind::local(conf::VariableValues& values, Arena& arena) const {
  if (address.empty()) return net::LocalAddress();
  const auto text = address.evaluate(values, arena);
  if (text.empty()) return net::LocalAddress();
  auto endpoint = endpoint_of(text);
  if (!endpoint) return endpoint.error();
  return net::LocalAddress{*endpoint, transparent};
}

}  // namespace gatescope::upstream
