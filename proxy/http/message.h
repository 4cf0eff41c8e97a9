#pragma once

// One message model for both wire formats. What stands here is known whichever version carried it.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "certs/tls_facts.h"
#include "proxy/base/clock.h"
#include "proxy/http/header.h"
#include "proxy/net/endpoint.h"

namespace gatescope::http {

enum class Version { Http10, Http11, Http2 };
std::string_view name_of(Version version);  // "HTTP/1.1": $server_protocol

/// What is known of a connection before its first request.
/// What a proxy before us said of its client (`listen ... proxy_protocol`).
struct ProxiedClient {
  net::Endpoint client, server;                            // server: where the client connected to
  std::vector<std::pair<std::uint8_t, std::string>> tlvs;  // version 2; those of SSL opened up
};

struct ConnectionInfo {
  std::uint64_t number = 0;  // "*number" in the error log, $connection
  net::Endpoint client, local;
  std::string client_address;          // $remote_addr
  const tls::TlsFacts* tls = nullptr;  // null: plain
  std::uint64_t requests = 0;          // $connection_requests: exchanges so far, this one included
  MonoTime started{};                  // accepted: $connection_time
  std::shared_ptr<const ProxiedClient> proxied;  // null: nobody said anything
};

/// What the wire said, as a Session hands it over: syntax and framing are settled, meaning is not.
/// Views are into the link's arena.
struct RequestHead {
  std::string_view method;
  std::string_view target;  // as sent: origin-form, absolute-form, "*" (HTTP/2: made of :path)
  std::string_view line;    // as sent: "GET /x HTTP/1.1"; HTTP/2 has none
  Version version = Version::Http11;
  HeaderList headers;  // HTTP/2: :authority comes as Host
  std::optional<std::uint64_t> content_length;
  bool has_body = false;         // a body follows (a length above 0, or of unknown length)
  bool wants_keep_alive = true;  // what version and Connection say
  std::size_t bytes = 0;         // of the head on the wire, for $request_length
  bool pipelined = false;        // had come with the request before it: $pipe
  MonoTime began{};              // its first byte was there; zero: when it was complete
  int refused = 0;  // not 0: answer this status, nothing else may be done (400, 414, 501, 505 ...)
  std::string refused_because;  // nginx's words for the log, "client sent invalid header line"
};

/// The request as handlers see it. `path` and `args` change by rewrite and internal redirects.
struct Request {
  RequestHead head;
  std::string_view host;  // valid, lower case, without port; the server's name when there was none
  std::string_view path;  // $uri: decoded, dots and slashes resolved; begins with '/'
  std::string_view args;  // behind '?', raw; may be empty
  bool has_args = false;  // a '?' was there
  std::string_view original_uri;  // $request_uri: path and query as sent
  std::string_view port;          // that Host or the target named, digits: $request_port
  const ConnectionInfo* connection = nullptr;
  bool is_head() const { return head.method == "HEAD"; }
  bool is_get_or_head() const { return head.method == "GET" || head.method == "HEAD"; }
};

class PrebuiltHead;

/// A part of a body, in bytes; length at least 1.
struct BytePart {
  std::uint64_t first = 0, length = 0;
  bool operator==(const BytePart&) const = default;
};

/// The head of a response. Server, Date, Connection, Keep-Alive, Transfer-Encoding are the
/// Session's to write.
struct ResponseHead {
  int status = 200;
  std::string_view reason;                      // empty: the standard one; HTTP/2 has none
  std::string_view content_type;                // with charset; empty: no field
  std::optional<std::uint64_t> content_length;  // nullopt: unknown (chunked, or until close)
  std::uint64_t plain_length = 0;  // of a body that was compressed as a whole before; 0: it was not
  std::optional<std::int64_t> last_modified;  // seconds since 1970
  std::string_view etag;                      // with quotes
  std::string_view location;
  HeaderList headers;  // all others

  // What the filters may do with it.
  enum class Ranges { None, Single, Any };
  Ranges ranges = Ranges::None;  // of a 200 with a length: what Range may ask for
  bool tells_ranges = true;  // Accept-Ranges: bytes; nginx says it of nothing that it compressed
  /// The handler sends nothing but the parts that ResponseWriter::parts() names, in that order.
  bool seekable = false;
  bool conditional = true;  // If-Match and its family are asked: not for another server's answer
  bool encoding_settled = false;  // Accept-Encoding has been answered already: no gzip, no brotli
  bool expects_trailers = false;  // the length is not sent, so that there is room for trailers
  bool caching_settled = false;   // `expires` leaves Cache-Control alone
  /// The head as text, made earlier; null: none. Owned together with what the views lead to, so it
  /// stays as long as they do: what does not describe() the head any more is not used.
  std::shared_ptr<const PrebuiltHead> prebuilt;

  bool bodiless() const {
    return status == 204 || status == 304 || (status >= 100 && status < 200);
  }
};

std::string_view reason_of(int status);  // "Not Found"; "" when unknown

}  // namespace gatescope::http
