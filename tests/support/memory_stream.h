#pragma once

// The smallest world in which a session can be tested: a loop whose clock is moved by hand, and a
// stream whose other end is the test. The simulated loop with networks, faults and lanes is
// sim_loop.h.

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/net/loop.h"

namespace gatescope::test {

class ManualClock final : public Clock {
 public:
  MonoTime now() const override { return MonoTime(std::chrono::hours(1)) + passed_; }
  /// Mon, 23 Nov 2026 22:13:00 GMT at first.
  WallTime wall() const override { return WallTime(std::chrono::seconds(1795471980)) + passed_; }
  void move(Duration by) { passed_ += by; }

 private:
  Duration passed_{0};
};

/// Timers, turn hooks, tasks and the bin. Everything else throws. Outlives what it made.
class FakeLoop final : public net::Loop {
 public:
  FakeLoop() = default;
  ~FakeLoop() override;
  const Clock& clock() const override { return clock_; }
  std::unique_ptr<net::Timer> make_timer(net::TimerEvents& events) override;
  void at_turn_end(net::TurnHook& hook) override { hooks_.add(hook); }
  void at_next_turn_end(net::TurnHook& hook) override { next_hooks_.add(hook); }
  void post(net::Task task) override { tasks_.push_back(std::move(task)); }
  Result<std::unique_ptr<net::Listener>> listen(const net::Endpoint&, const net::ListenOptions&,
                                                net::AcceptEvents&) override;
  std::unique_ptr<net::Listener> listen_on(net::BoundSocket, net::AcceptEvents&) override {
    std::abort();
  }
  std::unique_ptr<net::Connecting> connect(const net::Endpoint&, Duration,
                                           net::ConnectEvents&) override;
  std::shared_ptr<net::WorkerLane> make_lane(const net::LaneOptions&) override;
  Result<std::unique_ptr<net::Process>> spawn(const net::ProcessOptions&,
                                              net::ProcessEvents&) override;
  std::unique_ptr<net::DescriptorWatch> watch(int, net::DescriptorEvents&) override;

  /// Ends the turn: hooks, bin, posted tasks and timers that are due, until nothing is left to do
  /// now.
  void turn();
  /// Moves the clock, stopping at each timer's time; ends with a turn.
  void advance(Duration by);
  std::size_t running_timers() const;

 protected:
  void discard_raw(void* object, void (*destroy)(void*)) override {
    bin_.push_back({object, destroy});
  }

 private:
  class FakeTimer;
  bool fire_due();
  void empty_bin();

  ManualClock clock_;
  net::TurnHooks hooks_, next_hooks_;
  std::vector<net::Task> tasks_;
  std::vector<std::pair<void*, void (*)(void*)>> bin_;
  std::vector<FakeTimer*> timers_;
};

/// A stream and, by the functions in the second part, the peer's side of it.
class MemoryStream final : public net::Stream {
 public:
  // Stream
  void set_events(net::StreamEvents* events) override { events_ = events; }
  void start_reading() override { reading_ = true; }
  void stop_reading() override { reading_ = false; }
  Flow write(ByteQueue& bytes) override;
  std::size_t unsent() const override { return unsent_.size(); }
  void notify_sent() override { notify_sent_ = true; }
  void shut_down() override { shut_down_ = true; }
  void reset_on_close() override { reset_on_close_ = true; }
  const net::Endpoint& peer() const override { return endpoint_; }
  const net::Endpoint& local() const override { return endpoint_; }

  // The peer
  /// Bytes arrive, now when the stream is being read, else when deliver() finds it so.
  void feed(std::string_view bytes);
  void end();                     // FIN behind all that was fed
  void fail(const Error& error);  // a reset
  void deliver();
  /// The peer takes at most this many bytes more; then they stay unsent.
  void set_window(std::size_t bytes) { window_ = bytes; }
  /// Opens the window by so many bytes; may call on_drained.
  void open_window(std::size_t bytes);
  /// What the peer has received, and forgets it.
  std::string take() { return std::exchange(received_, {}); }
  const std::string& received() const { return received_; }
  std::size_t writes() const { return writes_; }
  bool reading() const { return reading_; }
  /// The peer sees FIN: shut down, and all has left.
  bool fin_seen() const { return shut_down_ && unsent_.empty(); }
  bool will_reset() const { return reset_on_close_; }

 private:
  void push_out();

  net::StreamEvents* events_ = nullptr;
  net::Endpoint endpoint_;
  std::string waiting_, unsent_, received_;
  std::size_t window_ = std::string::npos;
  std::size_t writes_ = 0;
  bool reading_ = false, shut_down_ = false, reset_on_close_ = false;
  bool end_waits_ = false, told_wait_ = false, notify_sent_ = false, failed_ = false;
};

}  // namespace gatescope::test
