#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/http/message.h"
#include "proxy/net/stream.h"

namespace gatescope::server {

/// What a proxy says of its client before the client's first byte: version 1 (a line) or 2
/// (binary) of the PROXY protocol, HAProxy's proxy-protocol.txt.
struct ProxyHeader {
  std::shared_ptr<const http::ProxiedClient> client;  // null: UNKNOWN, or the proxy itself (LOCAL)
  std::size_t size = 0;                               // bytes of it
};

/// As nginx: of a longer one nothing good can be expected.
inline constexpr std::size_t kLongestProxyHeader = 4096;

/// nullopt: more bytes are needed. Errors: Protocol, in nginx's words.
Result<std::optional<ProxyHeader>> parse_proxy_header(std::string_view bytes);

/// Reads the header off a fresh connection. The stream's events are its own until it has told.
class ProxyHeaderReader final : private net::StreamEvents {
 public:
  /// One of them, once, as the last thing that is done; the reader may be discarded in it.
  class Events {
   public:
    virtual ~Events() = default;
    /// `rest`: what came behind it.
    virtual void on_proxy_header(const ProxyHeader& header, std::string rest) = 0;
    virtual void on_proxy_header_failed(const Error& error) = 0;
  };
  ProxyHeaderReader(net::Stream& stream, Events& events);

 private:
  void on_data(std::span<const std::byte> data) override;
  void on_end() override;
  void on_drained() override {}
  void on_failed(const Error& error) override;
  void fail(const Error& error);

  net::Stream& stream_;
  Events& events_;
  std::string came_;
};

}  // namespace gatescope::server
