#include "proxy/proxy_header.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "proxy/base/text.h"
#include "proxy/http/tlv.h"
#include "proxy/net/endpoint.h"

namespace gatescope::server {

namespace {

constexpr std::string_view kLine = "PROXY ";
constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kLongestLine = 107;  // of version 1, with its line end
constexpr std::size_t kFixed = 16;         // of version 2: before addresses

Error broken(std::string_view what) {
  return make_error(ErrorKind::Protocol, Origin::Client, std::string(what));
}

Error broken_line(std::string_view line) {
  std::string shown;
  for (const char c : line.substr(0, 100))
    shown += c >= ' ' && c < 0x7f ? c : '?';
  return broken(fmt::format("broken header: \"{}\"", shown));
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  const auto number = parse_unsigned(text);
  if (!number || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

Result<std::optional<ProxyHeader>> parse_line(std::string_view bytes) {
  const auto end = bytes.find("\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() >= kLongestLine) return broken_line(bytes);
    return std::optional<ProxyHeader>();
  }
  const auto line = bytes.substr(0, end);
  if (end + 2 > kLongestLine) return broken_line(line);
  ProxyHeader header{nullptr, end + 2};
  const auto words = split(line, ' ');
  if (words.size() >= 2 && words[1] == "UNKNOWN") return std::optional(header);
  if (words.size() != 6 || (words[1] != "TCP4" && words[1] != "TCP6")) return broken_line(line);
  const auto family = words[1] == "TCP4" ? net::Endpoint::Family::V4 : net::Endpoint::Family::V6;
  const auto client_port = port_of(words[4]), server_port = port_of(words[5]);
  if (!client_port || !server_port) return broken_line(line);
  auto proxied = std::make_shared<http::ProxiedClient>();
  for (const bool of_client : {true, false}) {
    const std::string address(words[of_client ? 2 : 3]);
    const auto port = of_client ? *client_port : *server_port;
    const auto endpoint = net::Endpoint::ip(
        address.find(':') == std::string::npos ? address : "[" + address + "]", port);
    if (!endpoint || endpoint->family() != family) return broken_line(line);
    (of_client ? proxied->client : proxied->server) = *endpoint;
  }
  header.client = std::move(proxied);
  return std::optional(header);
}

unsigned number_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]) << 8 | static_cast<unsigned char>(bytes[at + 1]);
}

bool read_tlvs(std::string_view rest, http::ProxiedClient& proxied) {
  while (!rest.empty()) {
    const auto tlv = http::take_tlv(rest);
    if (!tlv) return false;
    proxied.tlvs.emplace_back(tlv->type, std::string(tlv->value));
  }
  return true;
}

net::Endpoint endpoint_at(std::string_view address, std::string_view port) {
  sockaddr_storage storage{};
  const auto fill = [&](auto& socket_address, int family, auto& to_address, auto& to_port) {
    storage.ss_family = static_cast<sa_family_t>(family);
    std::memcpy(&to_address, address.data(), address.size());
    std::memcpy(&to_port, port.data(), 2);  // both are in network order
    return net::Endpoint::of_sockaddr(reinterpret_cast<const sockaddr*>(&storage),
                                      sizeof(socket_address));
  };
  if (address.size() == 4) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
    return fill(v4, AF_INET, v4.sin_addr, v4.sin_port);
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  return fill(v6, AF_INET6, v6.sin6_addr, v6.sin6_port);
}

Result<std::optional<ProxyHeader>> parse_binary(std::string_view bytes) {
  if (bytes.size() < kFixed) return std::optional<ProxyHeader>();
  const auto version_and_command = static_cast<unsigned char>(bytes[12]);
  const auto family = static_cast<unsigned char>(bytes[13]);
  if (version_and_command >> 4 != 2)
    return broken(fmt::format("unknown PROXY protocol version: {}", version_and_command >> 4));
  const std::size_t size = kFixed + number_at(bytes, 14);
  if (size > kLongestProxyHeader) return broken("header is too large");
  if (bytes.size() < size) return std::optional<ProxyHeader>();
  ProxyHeader header{nullptr, size};
  const unsigned command = version_and_command & 0x0f;
  if (command == 0) return std::optional(header);  // LOCAL: a health check of the proxy's own
  if (command != 1) return broken(fmt::format("unknown PROXY protocol command: {}", command));
  if ((family & 0x0f) != 1) return std::optional(header);  // not a stream
  const bool v6 = family >> 4 == 2;
  if (!v6 && family >> 4 != 1) return std::optional(header);  // unix, unspecified
  const std::size_t width = v6 ? 16 : 4;
  if (size < kFixed + 2 * width + 4) return broken("header is too short for its addresses");
  auto proxied = std::make_shared<http::ProxiedClient>();
  const std::size_t ports = kFixed + 2 * width;
  proxied->client = endpoint_at(bytes.substr(kFixed, width), bytes.substr(ports, 2));
  proxied->server = endpoint_at(bytes.substr(kFixed + width, width), bytes.substr(ports + 2, 2));
  if (!read_tlvs(bytes.substr(ports + 4, size - ports - 4), *proxied)) return broken("broken TLV");
  header.client = std::move(proxied);
  return std::optional(header);
}

}  // namespace

Result<std::optional<ProxyHeader>> parse_proxy_header(std::string_view bytes) {
  const auto begins = [&](std::string_view what) {
    const std::size_t n = std::min(bytes.size(), what.size());
    return bytes.substr(0, n) == what.substr(0, n);
  };
  if (begins(kLine)) {
    if (bytes.size() < kLine.size()) return std::optional<ProxyHeader>();
    return parse_line(bytes);
  }
  if (begins(kSignature)) {
    if (bytes.size() < kSignature.size()) return std::optional<ProxyHeader>();
    return parse_binary(bytes);
  }
  return broken_line(bytes.substr(0, bytes.find('\r')));
}

ProxyHeaderReader::ProxyHeaderReader(net::Stream& stream, Events& events)
    : stream_(stream), events_(events) {
  stream_.set_events(this);
  stream_.start_reading();
}

void ProxyHeaderReader::on_data(std::span<const std::byte> data) {
  came_ += as_text(data);
  const auto header = parse_proxy_header(came_);
  if (!header) return fail(header.error());
  if (!*header) return;
  stream_.stop_reading();
  stream_.set_events(nullptr);
  events_.on_proxy_header(**header, came_.substr((*header)->size));
}

void ProxyHeaderReader::on_end() {
  fail(make_error(ErrorKind::Closed, Origin::Client, "client closed connection"));
}

void ProxyHeaderReader::on_failed(const Error& error) {
  fail(error);
}

void ProxyHeaderReader::fail(const Error& error) {
  stream_.set_events(nullptr);
  events_.on_proxy_header_failed(error);
}

}  // namespace gatescope::server
