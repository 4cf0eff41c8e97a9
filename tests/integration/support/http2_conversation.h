#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "tests/integration/support/client.h"
#include "tests/integration/support/wire.h"
#include "tests/support/http2_peer.h"

namespace gatescope::integration {

/// Requests written for HTTP/1, asked over HTTP/2: what is behind a Client there. A server that
/// answers in another version, or breaks the protocol, is a std::runtime_error. Owned by the
/// Client; `wire` outlives it.
class Http2Conversation {
 public:
  Http2Conversation(Wire& wire, std::string scheme) : wire_(wire), scheme_(std::move(scheme)) {}

  /// In any pieces; a request is asked when its head and as many bytes as Content-Length says have
  /// been sent.
  void send(std::string_view bytes);
  /// Of the requests in their order.
  Answer answer_head();
  Answer answer();
  std::string take(std::size_t size);
  std::string some();
  /// Up to the stream's end, or as far as it came.
  std::string rest();
  bool closed();
  /// Whether GOAWAY has come with what was read so far.
  bool is_going() const { return !peer_.goaways().empty(); }
  /// Waits until the server says GOAWAY; false: it closes without.
  bool is_told_to_end();

 private:
  bool carry();  // false: closed
  Answer head_of(const test::Http2Answer& came) const;
  test::Http2Answer& current() { return peer_.answer(stream_); }

  Wire& wire_;
  const std::string scheme_;
  test::Http2Peer peer_;
  std::string unsent_;                // a request that is not whole
  std::deque<std::int32_t> waiting_;  // streams whose answers nobody has asked for
  std::int32_t stream_ = 0;           // whose answer is being read; 0: none
  std::size_t taken_ = 0;             // of its body
};

}  // namespace gatescope::integration
