#pragma once

// A loop without a world and a stream without a socket: enough to run TLS in one process, turn by
// turn.

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/net/loop.h"
#include "proxy/net/stream.h"

namespace gatescope::tls::test {

class ManualClock final : public Clock {
 public:
  MonoTime now() const override { return mono_; }
  WallTime wall() const override { return wall_; }
  void advance(std::chrono::microseconds by) {
    mono_ += by;
    wall_ += by;
  }

 private:
  MonoTime mono_{std::chrono::hours(1000)};
  WallTime wall_ = std::chrono::time_point_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now());  // OpenSSL's clients look at the real one
};

/// Turn hooks and the bin; nothing else is asked for by TLS.
class MemoryLoop final : public net::Loop {
 public:
  ~MemoryLoop() override { empty_bin(); }
  ManualClock& manual_clock() { return clock_; }
  /// The end of a turn.
  void turn() {
    hooks_.run();
    empty_bin();
  }
  const Clock& clock() const override { return clock_; }
  void at_turn_end(net::TurnHook& hook) override { hooks_.add(hook); }
  void at_next_turn_end(net::TurnHook&) override { std::abort(); }
  std::unique_ptr<net::Timer> make_timer(net::TimerEvents&) override { std::abort(); }
  void post(net::Task) override { std::abort(); }
  Result<std::unique_ptr<net::Listener>> listen(const net::Endpoint&, const net::ListenOptions&,
                                                net::AcceptEvents&) override {
    std::abort();
  }
  std::unique_ptr<net::Listener> listen_on(net::BoundSocket, net::AcceptEvents&) override {
    std::abort();
  }
  std::unique_ptr<net::Connecting> connect(const net::Endpoint&, Duration,
                                           net::ConnectEvents&) override {
    std::abort();
  }
  std::shared_ptr<net::WorkerLane> make_lane(const net::LaneOptions&) override { std::abort(); }
  Result<std::unique_ptr<net::Process>> spawn(const net::ProcessOptions&,
                                              net::ProcessEvents&) override {
    std::abort();
  }
  std::unique_ptr<net::DescriptorWatch> watch(int, net::DescriptorEvents&) override {
    std::abort();
  }

 protected:
  void discard_raw(void* object, void (*destroy)(void*)) override {
    bin_.push_back({object, destroy});
  }

 private:
  struct Discarded {
    void* object;
    void (*destroy)(void*);
  };
  void empty_bin() {
    for (const auto& discarded : std::exchange(bin_, {}))
      discarded.destroy(discarded.object);
  }

  ManualClock clock_;
  net::TurnHooks hooks_;
  std::vector<Discarded> bin_;
};

/// One end of a connection; the test is the other end. What the test sees outlives the stream.
struct Wire {
  std::string sent;                        // taken by the "socket"
  ByteQueue waiting;                       // not yet taken
  std::size_t window = std::string::npos;  // how many bytes the socket still takes
  std::size_t writes = 0;                  // calls of write() with something in them
  bool fin_sent = false;
  bool reading = false;
  std::size_t stops = 0;  // calls of stop_reading() while it was read
  bool told_to_wait = false;
  bool notify_sent = false;
  std::string unread;  // came while nobody read
  bool fin_unread = false;
  net::StreamEvents* events = nullptr;
  bool alive = true;

  void take() {
    std::span<const std::byte> piece;
    while (window > 0 && !waiting.empty() && waiting.peek({&piece, 1}) == 1) {
      const std::size_t n = std::min(window, piece.size());
      sent += as_text(piece.first(n));
      waiting.consume(n);
      if (window != std::string::npos) window -= n;
    }
  }
  /// The peer's bytes arrive, in pieces of at most `piece`.
  void deliver(std::string_view bytes) {
    if (!alive) return;
    unread += bytes;
    flush_unread();
  }
  void deliver_fin() {
    fin_unread = true;
    flush_unread();
  }
  void deliver_failure(const Error& error) { events->on_failed(error); }
  void flush_unread() {
    if (alive && reading && events != nullptr && !unread.empty()) {
      // A fresh copy of exactly this size: AddressSanitizer sees who keeps a view.
      const std::vector<char> copy(unread.begin(), unread.end());
      unread.clear();
      events->on_data(as_bytes({copy.data(), copy.size()}));
    }
    if (alive && reading && events != nullptr && unread.empty() &&
        std::exchange(fin_unread, false)) {
      events->on_end();
    }
  }
  /// The socket takes `more` bytes.
  void open_window(std::size_t more) {
    window = more;
    take();
    const bool room = told_to_wait && waiting.size() < net::Stream::kHighWater / 2;
    const bool sent = notify_sent && waiting.empty();
    if (room || sent) {
      if (room) told_to_wait = false;
      if (sent) notify_sent = false;
      if (alive && events != nullptr) events->on_drained();
    }
  }
};

class MemoryStream final : public net::Stream {
 public:
  explicit MemoryStream(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}
  ~MemoryStream() override {
    wire_->alive = false;
    wire_->events = nullptr;
  }
  void set_events(net::StreamEvents* events) override { wire_->events = events; }
  void start_reading() override { wire_->reading = true; }
  void stop_reading() override {
    if (std::exchange(wire_->reading, false)) ++wire_->stops;
  }
  Flow write(ByteQueue& bytes) override {
    if (!bytes.empty()) ++wire_->writes;
    wire_->waiting.append_all(std::move(bytes));
    bytes.clear();
    wire_->take();
    if (unsent() <= kHighWater) return Flow::GoOn;
    wire_->told_to_wait = true;
    return Flow::Wait;
  }
  std::size_t unsent() const override { return wire_->waiting.size(); }
  void notify_sent() override { wire_->notify_sent = true; }
  void shut_down() override { wire_->fin_sent = true; }
  void reset_on_close() override {}
  const net::Endpoint& peer() const override { return endpoint_; }
  const net::Endpoint& local() const override { return endpoint_; }

 private:
  std::shared_ptr<Wire> wire_;
  net::Endpoint endpoint_;
};

}  // namespace gatescope::tls::test
