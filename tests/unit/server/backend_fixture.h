#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/sim_loop.h"

namespace gatescope::test {

/// A server behind the proxy that keeps every byte it is sent, reads it as RFC 9112 demands, and
/// answers each whole request "200 ok" (or with `reply`) on a connection that it keeps.
class Backend final : private net::AcceptEvents {
 public:
  Backend(SimLoop& loop, std::uint16_t port);
  ~Backend() override;
  /// What came on each connection so far, in the order of their coming.
  const std::vector<std::string>& received() const { return received_; }
  /// Whole requests so far, over all connections.
  std::size_t requests() const { return requests_; }
  void clear();
  std::string reply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  bool close_at_once = false;      // answers nothing, closes when bytes come
  bool close_after_reply = false;  // each connection

 private:
  class Connection;
  void on_accepted(std::unique_ptr<net::Stream> stream) override;

  SimLoop& loop_;
  std::unique_ptr<net::Listener> listener_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::string> received_;
  std::size_t requests_ = 0;
};

/// Ways in which real servers misread requests; each is a smuggler's tool.
struct Leniency {
  bool bare_lf = false;       // LF ends a line
  bool bare_cr = false;       // CR ends a line
  bool length_first = false;  // Content-Length counts when Transfer-Encoding is there too
  bool loose_coding = false;  // "chunked" anywhere in the value
  bool loose_names = false;   // '_' is '-', blanks around a name are nothing
  bool loose_sizes = false;   // chunk sizes and lengths: blanks, 0x, +, what stands behind
  bool last_length = false;   // of several Content-Lengths the last one
};
/// How many requests such a reader finds in the bytes, a last one in part included; -1 when it
/// would refuse them.
int count_requests(std::string_view bytes, const Leniency& leniency);
/// All combinations.
std::vector<Leniency> all_leniencies();

}  // namespace gatescope::test
