#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace gatescope::upstream {

/// What proxy_pass names: "http://host:port/uri", "https://...", "http://unix:/path.sock:/uri". A
/// value.
struct ProxyUrl {
  std::string host;  // a name, an address ("[::1]" with its brackets), or "unix:/path"
  std::string port;  // digits; empty: none was written (or a unix socket)
  std::string uri;   // from the first '/' or '?' on; empty: no URI part
  bool is_unix = false, is_tls = false;  // is_tls: https

  std::uint16_t port_number() const;  // 80 or 443 when none was written
  std::string host_and_port()
      const;  // "host:port" when a port was written: the name of an upstream block has none
  std::string host_header()
      const;  // $proxy_host, as nginx: without a default port; "localhost" for a socket
  std::string proxy_port() const;  // $proxy_port
  std::string_view scheme() const { return is_tls ? "https" : "http"; }
};

/// Errors in nginx's words: "invalid URL prefix", "invalid port in upstream ...".
Result<ProxyUrl> parse_proxy_url(std::string_view text);

/// "host", "host:port", "[v6]:port", "unix:/path" (without scheme and URI): what `server` in an
/// upstream block takes.
Result<ProxyUrl> parse_server_address(std::string_view text);

}  // namespace gatescope::upstream
