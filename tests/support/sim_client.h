#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/net/loop.h"
#include "tests/support/sim_http_parser.h"
#include "tests/support/sim_loop.h"

namespace gatescope::test {

struct SimRequest {
  enum class Framing { None, Length, Chunked };
  std::string method = "GET";
  std::string path = "/";
  std::string version = "HTTP/1.1";
  std::vector<std::pair<std::string, std::string>> headers;  // beside Host and framing
  Framing framing = Framing::None;
  std::string body;
  bool expect_continue = false;  // waits for 100 (or a second) before the body
  std::string garbage;           // not empty: sent as it is instead of a request
  /// What goes out before the body, and the body as framed.
  std::string head_text() const;
  std::string body_text(SimRandom& random) const;
};

struct SimClientPlan {
  std::vector<SimRequest> requests;
  bool pipelined = false;   // all at once; else one after the other
  bool half_close = false;  // FIN after the last request
  bool slow_bytes = false;  // writes a few bytes at a time ...
  SimSpan slow_every{Micros{100}, Micros{20'000}};
  std::size_t slow_limit = 600;  // ... as far as this many bytes
  Micros think{0};               // between an answer and the next request
  Micros leave_after{0};         // not 0: goes away without a word
  bool leave_by_reset = false;
  bool stops_reading = false;  // after the first answer's first bytes, until it leaves
  Duration connect_timeout{10'000};
  Duration deadline{60'000};  // gives up
};

/// An HTTP/1.1 client that follows a plan on virtual time and keeps what it saw. Owned by the test;
/// done() once its connection is closed; then it may go.
///   Connecting -> Talking -> Done
class SimClient final : private net::ConnectEvents,
                        private net::StreamEvents,
                        private net::TimerEvents {
 public:
  enum class Outcome {
    Running,
    NotConnected,  // refused or not answered
    Finished,      // all awaited answers came whole
    Closed,        // the server closed in order before that
    Broken,        // reset
    Left,          // as planned
    GaveUp,        // the deadline
    BadAnswer,     // what came is not HTTP: parser().error()
  };

  SimClient(SimLoop& loop, const net::Endpoint& server, SimClientPlan plan);
  ~SimClient() override;
  void start();
  bool done() const { return outcome_ != Outcome::Running; }
  Outcome outcome() const { return outcome_; }
  const SimClientPlan& plan() const { return plan_; }
  const SimHttpParser& parser() const { return parser_; }
  const std::vector<SimResponse>& responses() const { return parser_.responses(); }
  /// How many requests were sent to their last byte.
  std::size_t sent() const { return sent_; }

 private:
  void on_connected(std::unique_ptr<net::Stream> stream) override;
  void on_connect_failed(const Error& error) override;
  void on_data(std::span<const std::byte> data) override;
  void on_end() override;
  void on_drained() override {}
  void on_failed(const Error& error) override;
  void on_timer(net::Timer& timer) override;

  void queue_requests();
  void queue_next();
  void send_some();
  void finish(Outcome outcome);

  // Constant after construction
  SimLoop& loop_;
  const net::Endpoint server_;
  const SimClientPlan plan_;

  Outcome outcome_ = Outcome::Running;
  std::unique_ptr<net::Connecting> connecting_;
  std::unique_ptr<net::Stream> stream_;
  std::unique_ptr<net::Timer> deadline_, pace_, leave_, think_, continue_;
  SimHttpParser parser_;
  std::string outgoing_;  // not yet given to the stream
  std::size_t outgoing_sent_ = 0;
  std::size_t slow_sent_ = 0;
  std::size_t next_ = 0;  // the request to be queued next
  std::size_t sent_ = 0;
  std::string held_body_;  // waits for 100 Continue
  bool waits_for_continue_ = false;
  bool shut_ = false;
};
std::string_view name_of(SimClient::Outcome outcome);

}  // namespace gatescope::test
