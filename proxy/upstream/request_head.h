#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/http/exchange.h"
#include "proxy/upstream/proxy_settings.h"
#include "proxy/upstream/upstream_connection.h"

namespace gatescope::upstream {

/// What URI mapping looks at; all of it text, so that a table can test it.
struct UriInput {
  std::string_view original;    // as the client sent it, with its query
  std::string_view path, args;  // as they are now; path is decoded
  bool changed =
      false;  // by rewrite or an internal redirect: `original` is no longer what is asked for
  bool internal = false;  // by an internal redirect: its path was decoded, so it must be escaped
  std::string_view location;    // prefix of the location; empty: regex or named
  std::string_view proxy_uri;   // URI part of proxy_pass; empty: none
  bool from_variables = false;  // proxy_pass holds variables: its URI part is the whole URI
};

/// The request target for the upstream, by nginx's rules. Never holds a blank or a control
/// character.
std::string map_uri(const UriInput& input);

/// How the request's body reaches the upstream.
enum class BodyPlan {
  None,
  Stream,  // as it comes: its length is known, or HTTP/1.1 chunks carry it
  Kept,    // read whole first (proxy_request_buffering, or HTTP/1.0 needs a length)
  Fixed,   // proxy_set_body
};
/// `begun`: a part of the body was read by somebody before (an internal redirect).
BodyPlan plan_body(const http::Request& request, const ProxySettings& settings, bool begun);
/// Whether the client's body is read to its end before a server is chosen.
bool reads_first(const http::Request& request, const ProxySettings& settings, bool begun);

/// The finished request to send, without a Kept body, whose size is `kept`. Error Invalid (the
/// client's) when a value from variables holds a line break.
Result<UpstreamRequest> build_request(http::Exchange& exchange, const ProxySettings& settings,
                                      std::string_view host_header, std::string_view uri,
                                      bool keep_alive, BodyPlan plan, std::uint64_t kept);

/// What map_uri needs, from an exchange. The views are in its arena or outlive it.
UriInput uri_input(http::Exchange& exchange, const ProxyPass& pass, const ProxyUrl& url);

}  // namespace gatescope::upstream
