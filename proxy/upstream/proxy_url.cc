#include "proxy/upstream/proxy_url.h"

#include <fmt/format.h>

#include "proxy/base/text.h"

namespace gatescope::upstream {

namespace {

Error invalid(std::string detail) {
  return make_error(ErrorKind::Invalid, Origin::Internal, std::move(detail));
}

constexpr std::string_view kUnix = "unix:";

/// The host and port in front of a URI.
Result<void> read_authority(std::string_view text, ProxyUrl& url) {
  const auto bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos)
    return invalid(fmt::format("invalid host in upstream \"{}\"", text));
  const auto colon = text.find(':', bracket);
  url.host = text.substr(0, colon);
  if (url.host.empty()) return invalid(fmt::format("no host in upstream \"{}\"", text));
  if (colon == std::string_view::npos) return {};
  url.port = text.substr(colon + 1);
  const auto number = parse_unsigned(url.port);
  if (!number || *number == 0 || *number > 65535)
    return invalid(fmt::format("invalid port in upstream \"{}\"", text));
  return {};
}

}  // namespace

std::uint16_t ProxyUrl::port_number() const {
  return port.empty() ? (is_tls ? 443 : 80) : static_cast<std::uint16_t>(*parse_unsigned(port));
}

std::string ProxyUrl::host_and_port() const {
  return port.empty() ? host : host + ":" + port;
}

std::string ProxyUrl::host_header() const {
  if (is_unix) return "localhost";
  return port_number() == (is_tls ? 443 : 80) ? host : host_and_port();
}

std::string ProxyUrl::proxy_port() const {
  if (is_unix) return "";
  return std::to_string(port_number());
}

Result<ProxyUrl> parse_proxy_url(std::string_view text) {
  constexpr std::string_view kHttp = "http://", kHttps = "https://";
  ProxyUrl url;
  url.is_tls = starts_with_ignoring_case(text, kHttps);
  if (!url.is_tls && !starts_with_ignoring_case(text, kHttp))
    return invalid("invalid URL prefix, http:// or https:// is needed");
  auto rest = text.substr(url.is_tls ? kHttps.size() : kHttp.size());
  if (starts_with_ignoring_case(rest, kUnix)) {
    const auto path_end = rest.find(':', kUnix.size());
    url.is_unix = true;
    url.host = rest.substr(0, path_end);
    if (path_end != std::string_view::npos) url.uri = rest.substr(path_end + 1);
    if (url.host.size() == kUnix.size())
      return invalid(fmt::format("no path in the unix domain socket \"{}\"", text));
    return url;
  }
  const auto end = rest.find_first_of("/?");
  if (auto read = read_authority(rest.substr(0, end), url); !read) return read.error();
  if (end != std::string_view::npos) url.uri = rest.substr(end);
  if (url.uri.starts_with('?')) url.uri.insert(0, "/");
  return url;
}

Result<ProxyUrl> parse_server_address(std::string_view text) {
  ProxyUrl url;
  if (starts_with_ignoring_case(text, kUnix)) {
    url.is_unix = true;
    url.host = text;
    if (url.host.size() == kUnix.size())
      return invalid(fmt::format("no path in the unix domain socket \"{}\"", text));
    return url;
  }
  if (text.find('/') != std::string_view::npos)
    return invalid(fmt::format("invalid host in upstream \"{}\"", text));
  if (auto read = read_authority(text, url); !read) return read.error();
  return url;
}

}  // namespace gatescope::upstream
