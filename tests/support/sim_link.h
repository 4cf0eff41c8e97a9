#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "proxy/net/stream.h"
#include "tests/support/sim_loop.h"

namespace gatescope::test {

/// A connection in memory: two ends, what is on the way between them, and the faults drawn for it.
/// Shared by its two streams and by the events under way (a stream may go while bytes travel).
/// Bytes go unsent (the program) -> in flight -> inbox (the other socket) -> on_data; in flight and
/// inbox together are at most `window`.
class SimLink final : public std::enable_shared_from_this<SimLink> {
 public:
  enum Side : unsigned { kClient, kServer };

  SimLink(SimWorld& world, const SimFaults& faults, const net::Endpoint& client,
          const net::Endpoint& server);
  /// The Stream of one side, once.
  std::unique_ptr<net::Stream> open(Side side, SimLoop& loop);
  /// Nobody took it out of the backlog.
  void refuse() { close(kServer); }

  // What SimStream does.
  void set_events(Side side, net::StreamEvents* events) { ends_[side].events = events; }
  void start_reading(Side side);
  void stop_reading(Side side) { ends_[side].reading = false; }
  Flow write(Side side, ByteQueue& bytes);
  std::size_t unsent(Side side) const { return ends_[side].unsent.size(); }
  void notify_sent(Side side) { ends_[side].notify_sent = true; }
  void shut_down(Side side);
  void reset_on_close(Side side) { ends_[side].reset_on_close = true; }
  void close(Side side);
  const net::Endpoint& address(Side side) const { return ends_[side].address; }
  SimLoop& loop(Side side) { return *ends_[side].loop; }
  SimWorld& world() { return world_; }

 private:
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
  enum class Kind { Data, Fin, Reset };
  enum class State {
    Unopened,  // in the backlog
    Open,
    Failing,  // a write failed; on_failed comes in a later turn
    Failed,   // on_failed was called
    Closed,   // the Stream is gone
  };
  struct End {
    net::Endpoint address;
    State state = State::Unopened;
    SimLoop* loop = nullptr;
    net::StreamEvents* events = nullptr;
    bool in_callback = false;

    // Coming in
    bool reading = false;
    bool ended = false;  // on_end was called
    std::string inbox;   // came, not read
    bool fin_came = false, reset_came = false;
    bool read_scheduled = false;

    // Going out
    ByteQueue unsent;
    bool told_to_wait = false;  // on_drained is owed
    bool notify_sent = false;   // ... when all has left
    bool fin_wanted = false, fin_sent = false;
    bool reset_on_close = false;
    bool window_scheduled = false;
    std::size_t in_flight = 0;
    std::uint64_t sent = 0;   // bytes so far
    MonoTime last_arrival{};  // order is kept

    // Faults of the way out, constant after construction
    std::size_t window = 0;
    bool bytewise = false;
    std::uint64_t cut_at = kNever, stall_at = kNever, end_at = kNever;
  };
  static Side other(Side side) { return side == kClient ? kServer : kClient; }

  void draw_faults();
  void push_out(Side side);
  void send_piece(Side side, std::string bytes);
  void send(Side side, Kind kind, std::string bytes = {});
  void arrive(Side side, Kind kind, const std::string& bytes);
  void schedule_read(Side side);
  void deliver(Side side);
  void open_window(Side side);
  void on_window(Side side);
  void cut();
  void fail_later(Side side, int error);
  void fail_now(Side side, const Error& error);
  Origin origin(Side side) const { return side == kServer ? Origin::Client : Origin::Upstream; }

  SimWorld& world_;
  const SimFaults faults_;
  std::array<End, 2> ends_;
  bool dead_ = false;  // cut: nothing passes any more
};

}  // namespace gatescope::test
