#pragma once

// What serving counts: requests, connections, bytes, times.

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "proxy/base/stats.h"
#include "proxy/http/handler.h"
#include "proxy/http/message.h"

namespace gatescope::http {

/// How a request ended, as it is counted: by the first digit of its status. None: nothing was
/// answered (the client left: 499, or 444).
enum class StatusClass { None, Informational, Success, Redirection, ClientError, ServerError };
std::string_view name_of(StatusClass status);  // "2xx"; "none"
StatusClass class_of(int status);              // 0: None

/// One loop's share, written by its thread only. A request costs a dozen additions to numbers that
/// lie side by side; nothing is looked up and nothing locked. Owned by ServingTotals.
class alignas(64) ServingStats {
 public:
  void begin_request(Version version) {
    requests_[static_cast<std::size_t>(version)].add();
    (version == Version::Http2 ? writing_http2_ : writing_http1_).add();
  }
  void count_received(std::uint64_t bytes) { received_.add(static_cast<std::int64_t>(bytes)); }
  void count_sent(std::uint64_t bytes) { sent_.add(static_cast<std::int64_t>(bytes)); }
  void end_request(Version version, HandlerKind by, StatusClass status, std::uint64_t took_ms) {
    (version == Version::Http2 ? writing_http2_ : writing_http1_).sub();
    responses_[static_cast<std::size_t>(by)][static_cast<std::size_t>(status)].add();
    times_[static_cast<std::size_t>(by)].add(took_ms);
  }

  LoopCounter accepted, active;      // connections
  LoopCounter handshaking, waiting;  // ... of them: in a TLS handshake; between two requests
  LoopCounter busy_http1;  // ... of HTTP/1, neither of both: a head comes, or an answer goes
  LoopCounter handshakes, resumed, handshakes_failed;
  LoopCounter http2_connections;  // accepted, of HTTP/2
  class ServingTotals& totals() {
    return totals_;
  }

 private:
  friend class ServingTotals;
  explicit ServingStats(ServingTotals& totals) : totals_(totals) {}

  ServingTotals& totals_;
  std::array<LoopCounter, 3> requests_;  // by Version
  LoopCounter writing_http1_, writing_http2_;
  LoopCounter received_, sent_;
  std::array<std::array<LoopCounter, 6>, kHandlerKinds> responses_;
  std::array<TimeHistogram, kHandlerKinds> times_;
};

/// nginx's numbers of stub_status, as they are now.
struct ConnectionCounts {
  std::int64_t accepted = 0, handled = 0, requests = 0;
  std::int64_t active = 0, reading = 0, writing = 0, waiting = 0, handshaking = 0;
};

/// The shares of all loops, registered with Stats. Owned by Server; outlives the last look at
/// Stats. Thread-safe.
class ServingTotals {
 public:
  explicit ServingTotals(Stats& stats) : stats_(stats) {}
  /// A loop's own share, for as long as this lives: what it counted stays counted.
  ServingStats& add_loop();
  /// A request is in `writing` from when its head was there to its end; a connection of HTTP/1 that
  /// has begun with a head is in `reading`. A connection that has asked for nothing yet waits.
  ConnectionCounts counts() const;
  std::int64_t active() const;

 private:
  Stats& stats_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<ServingStats>> loops_;
};

}  // namespace gatescope::http
