#pragma once

#include <string>

#include "proxy/base/result.h"
#include "proxy/net/stream.h"

namespace gatescope::server {

/// Finds out whether a client of a plain address begins with HTTP/2's preface (RFC 9113 3.4) or
/// speaks HTTP/1. The stream's events are its own until it has told. Owned by the Connection.
class Http2PrefaceReader final : private net::StreamEvents {
 public:
  /// One of the last two, once, as the last thing that is done; the reader may be discarded in it.
  class Events {
   public:
    virtual ~Events() = default;
    /// The first bytes of what may be the preface have come; it is not called when it came whole.
    virtual void on_preface_begun() = 0;
    /// `came`: all bytes so far, to be read again by whoever speaks that version.
    virtual void on_preface(bool http2, std::string came) = 0;
    virtual void on_preface_failed(const Error& error) = 0;
  };
  Http2PrefaceReader(net::Stream& stream, Events& events);

 private:
  void on_data(std::span<const std::byte> data) override;
  void on_end() override;
  void on_drained() override {}
  void on_failed(const Error& error) override;
  void tell(bool http2);

  net::Stream& stream_;
  Events& events_;
  std::string came_;
};

}  // namespace gatescope::server
