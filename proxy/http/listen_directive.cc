#include "proxy/http/listen_directive.h"

#include <fmt/format.h>
#include <unistd.h>

#include "proxy/base/text.h"

namespace gatescope::http {

namespace {

using conf::Directive;
using conf::Loader;

/// "8080", "127.0.0.1:80", "[::1]:80", "localhost", "*:80", "unix:/x", "127.0.0.1:8080-8090".
Result<std::vector<net::Endpoint>> endpoints_of(const Directive& d) {
  const auto text = d.arg(0);
  if (text.starts_with("unix:")) {
    auto endpoint = net::Endpoint::unix_path(text.substr(5));
    if (!endpoint) return Loader::fail(d, endpoint.error().detail);
    return std::vector{*endpoint};
  }
  std::string_view host = text, port_text;
  const auto bracket = text.rfind(']');
  const auto colon = text.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    host = text.substr(0, colon);
    port_text = text.substr(colon + 1);
  } else if (text.find_first_not_of("0123456789-") == std::string_view::npos) {
    host = "*";
    port_text = text;
  }
  std::uint64_t first = 80, last = 80;
  if (!port_text.empty() ||
      (colon != std::string_view::npos && bracket == std::string_view::npos)) {
    const auto dash = port_text.find('-');
    const auto low = parse_unsigned(port_text.substr(0, dash));
    const auto high =
        dash == std::string_view::npos ? low : parse_unsigned(port_text.substr(dash + 1));
    if (!low || !high || *low == 0 || *high > 65535 || *low > *high)
      return Loader::fail(d, fmt::format("has an invalid port in \"{}\"", text));
    first = *low;
    last = *high;
  }
  std::vector<net::Endpoint> found;
  for (auto port = first; port <= last; ++port) {
    const auto number = static_cast<std::uint16_t>(port);
    if (host == "*" || host.empty()) {
      found.push_back(*net::Endpoint::ip("0.0.0.0", number));
      continue;
    }
    if (auto endpoint = net::Endpoint::ip(host, number)) {
      found.push_back(*endpoint);
      continue;
    }
    auto resolved = net::resolve_now(std::string(host), number);
    if (!resolved || resolved->empty())
      return Loader::fail(d, fmt::format("has a host that is not found: \"{}\"", text));
    for (auto& endpoint : *resolved)
      found.push_back(endpoint);
  }
  return found;
}

}  // namespace

Result<std::vector<ListenSpec>> listen_specs(Loader& loader, const Directive& d) {
  auto endpoints = endpoints_of(d);
  if (!endpoints) return endpoints.error();
  ListenSpec spec;
  spec.written = d.arg(0);
  spec.place = d.place;
  for (std::size_t i = 1; i < d.count(); ++i) {
    const auto word = d.arg(i);
    if (word == "ssl") {
      spec.tls = true;
    } else if (word == "http2") {
      spec.http2 = true;
    } else if (word == "default_server" || word == "default") {
      spec.default_server = true;
    } else if (word == "reuseport") {
      spec.options.reuse_port = spec.options_given = true;
    } else if (word == "bind" || word == "deferred" || word == "quic" ||
               word.starts_with("fastopen=") || word.starts_with("rcvbuf=") ||
               word.starts_with("sndbuf=") || word.starts_with("setfib=") ||
               word.starts_with("accept_filter=")) {
      if (word == "quic") return Loader::fail(d, "cannot take \"quic\": HTTP/3 is not built in");
      spec.options_given = true;
    } else if (word.starts_with("backlog=")) {
      const auto backlog = parse_unsigned(word.substr(8));
      if (!backlog || *backlog == 0 || *backlog > 1u << 20)
        return Loader::fail(d, fmt::format("has an invalid \"{}\"", word));
      spec.options.backlog = static_cast<int>(*backlog);
      spec.options_given = true;
    } else if (word.starts_with("ipv6only=")) {
      spec.options.ipv6_only = word.substr(9) == "on";
      spec.options_given = true;
    } else if (word.starts_with("so_keepalive=")) {
      spec.options.keepalive = word.substr(13) != "off";
      spec.options_given = true;
    } else if (word == "proxy_protocol") {
      spec.proxy_protocol = true;
    } else {
      return Loader::fail(d, fmt::format("has an invalid parameter \"{}\"", word));
    }
  }
  if (spec.http2)
    loader.warn(
        d.place,
        "the \"listen ... http2\" directive is deprecated, use the \"http2\" directive instead");
  std::vector<ListenSpec> specs;
  for (const auto& endpoint : *endpoints) {
    spec.endpoint = endpoint;
    specs.push_back(spec);
  }
  return specs;
}

}  // namespace gatescope::http
