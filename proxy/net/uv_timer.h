#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "proxy/net/loop.h"

namespace gatescope::net {

class UvTimer;

/// All timers of a loop behind one of libuv's: a connection waits for a deadline all its life, and
/// a handle for each would be 240 bytes instead of 70. A binary heap by due time; times are
/// libuv's milliseconds. A member of UvCore.
class TimerQueue {
 public:
  static constexpr std::uint32_t kNowhere = std::numeric_limits<std::uint32_t>::max();

  explicit TimerQueue(const Clock& clock) : clock_(clock) {}
  void open(uv_loop_t* uv);
  void close();  // the loop runs once more before it is closed
  std::size_t timers() const { return timers_; }

  /// Whether timers fired since the last call.
  bool take_fired() { return std::exchange(fired_, false); }

  // For UvTimer
  const Clock& clock() const { return clock_; }
  void enter() { ++timers_; }
  void leave(UvTimer& timer);
  /// Puts it in, or moves it, to fire at `due`.
  void set(UvTimer& timer, std::uint64_t due);
  std::uint64_t due_of(const UvTimer& timer) const;
  std::uint64_t now() const { return uv_now(handle_.loop); }

 private:
  struct Entry {
    std::uint64_t due;
    UvTimer* timer;
  };
  void run();
  void arm();
  static bool before(const Entry& a, const Entry& b);
  void put(std::size_t place, Entry entry);
  void sift_up(std::size_t place, Entry entry);
  void sift_down(std::size_t place, Entry entry);
  void take_out(std::size_t place);

  const Clock& clock_;
  uv_timer_t handle_{};
  std::vector<Entry> heap_;
  std::size_t timers_ = 0;
  bool running_ = false;  // an on_timer() is on the stack
  bool fired_ = false;
};

/// Timer in a TimerQueue. Its place is left where it is when the deadline moves away or stops, and
/// looked at again when it fires: keep-alive deadlines move with every request. Owned by its user.
class UvTimer final : public Timer, public Spare::Object {
 public:
  UvTimer(TimerQueue& queue, TimerEvents& events) : queue_(queue), events_(events) {
    queue_.enter();
  }
  ~UvTimer() override { queue_.leave(*this); }
  void start(Duration after) override;
  void stop() override { running_ = false; }
  bool running() const override { return running_; }

 private:
  friend class TimerQueue;
  void on_fired();
  std::uint64_t due() const;

  TimerQueue& queue_;
  TimerEvents& events_;
  MonoTime deadline_{};
  std::uint32_t place_ = TimerQueue::kNowhere;  // in the queue
  bool running_ = false;
};

}  // namespace gatescope::net
