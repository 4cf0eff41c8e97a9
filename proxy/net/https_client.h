#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "proxy/net/loop.h"

namespace gatescope::net {

struct HttpsRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;                    // for POST
  Duration timeout{4000};              // the whole transfer
  std::uint64_t max_body = 64u << 20;  // bytes after decoding
  bool accept_gzip = true;
  std::string ca_file;  // empty: the system's
  bool verify = true;   // false: any certificate will do
};
struct HttpsAnswer {
  int status = 0;
  std::string effective_url;
  std::string redirect_url;  // absolute, when status is 3xx with Location; never followed here
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  bool length_known = false;  // Content-Length, chunked or HTTP/2: a cut would have been noticed
};
class HttpsEvents {
 public:
  virtual ~HttpsEvents() = default;
  virtual void on_answer(HttpsAnswer answer) = 0;
  /// Kinds: Timeout, Unreachable, Refused, Reset, Protocol (TLS too), TooLarge. Origin: Upstream.
  virtual void on_request_failed(const Error& error) = 0;
};
/// A transfer under way; destroying it cancels. Exactly one event, never from inside start().
class HttpsTransfer {
 public:
  virtual ~HttpsTransfer() = default;
};
struct HttpsClientSettings {
  std::string agent = "gatescope";
  unsigned connections_per_host = 1;  // OEIS asks for politeness
  std::string proxy;                  // with use_environment_proxy false: this one, empty for none
  bool use_environment_proxy = true;  // HTTP(S)_PROXY, NO_PROXY, as libcurl reads them
};
/// HTTP(S) as a client, for OEIS and ACME: libcurl's multi interface driven by the loop. Owned by
/// its user; the loop outlives it. Also an interface, so that tests may answer from a table.
class HttpsClient {
 public:
  static std::unique_ptr<HttpsClient> make(Loop& loop, HttpsClientSettings settings);
  virtual ~HttpsClient() = default;
  virtual std::unique_ptr<HttpsTransfer> start(HttpsRequest request, HttpsEvents& events) = 0;
};

/// Makes them; an interface, so that tests may answer from a table.
class HttpsClients {
 public:
  virtual ~HttpsClients() = default;
  virtual std::unique_ptr<HttpsClient> make(Loop& loop, HttpsClientSettings settings) = 0;
};
/// The real ones: libcurl on the loop.
class CurlClients final : public HttpsClients {
 public:
  std::unique_ptr<HttpsClient> make(Loop& loop, HttpsClientSettings settings) override {
    return HttpsClient::make(loop, std::move(settings));
  }
};

}  // namespace gatescope::net
