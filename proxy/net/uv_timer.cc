#include <algorithm>
#include <utility>

#include "proxy/net/uv_core.h"

namespace gatescope::net {

namespace {

/// Timer over uv_timer_t. libuv's timer is left where it is when the deadline moves away or stops,
/// and looks again when it fires: keep-alive deadlines move with every request. Owned by its user.
class UvTimer final : public Timer {
 public:
  UvTimer(UvCore& core, TimerEvents& events) : core_(core), events_(events), handle_(*this) {
    uv_timer_init(core_.uv(), handle_.get());
  }
  void start(Duration after) override;
  void stop() override { running_ = false; }
  bool running() const override { return running_; }
  void on_fired();

 private:
  std::uint64_t due() const;
  void arm(std::uint64_t due);

  UvCore& core_;
  TimerEvents& events_;
  UvHandle<uv_timer_t, UvTimer> handle_;

  MonoTime deadline_{};
  bool running_ = false;
  bool armed_ = false;           // libuv's timer runs, ...
  std::uint64_t armed_for_ = 0;  // ... until then; libuv's milliseconds
};

void UvTimer::start(Duration after) {
  deadline_ = core_.clock.now() + std::max(after, Duration::zero());
  running_ = true;
  const std::uint64_t when = after > Duration::zero() ? due() : uv_now(core_.uv());
  if (!armed_ || when < armed_for_) arm(when);
}

// The first millisecond of libuv's clock that is not before the deadline; both clocks are
// CLOCK_MONOTONIC.
std::uint64_t UvTimer::due() const {
  return static_cast<std::uint64_t>(
      std::chrono::ceil<std::chrono::milliseconds>(deadline_.time_since_epoch()).count());
}

void UvTimer::arm(std::uint64_t due) {
  const std::uint64_t now = uv_now(core_.uv());
  // libuv before 1.45 runs a timer of 0 ms that was started by a timer at once, for ever if it does
  // so again.
  const std::uint64_t least = core_.in_timer ? 1 : 0;
  const std::uint64_t delay = std::max(least, due > now ? due - now : 0);
  uv_timer_start(
      handle_.get(),
      [](uv_timer_t* handle) noexcept {
        UvTimer* timer = UvHandle<uv_timer_t, UvTimer>::owner_of(handle);
        if (timer != nullptr) timer->on_fired();
      },
      delay, 0);
  armed_ = true;
  armed_for_ = now + delay;
}

void UvTimer::on_fired() {
  UvCore& core = core_;  // the timer may be gone after on_timer()
  armed_ = false;
  if (!running_) return;
  core.in_timer = true;
  if (core.clock.now() < deadline_) {
    arm(due());
  } else {
    running_ = false;
    events_.on_timer(*this);
  }
  core.in_timer = false;
}

}  // namespace

std::unique_ptr<Timer> make_uv_timer(UvCore& core, TimerEvents& events) {
  return std::make_unique<UvTimer>(core, events);
}

}  // namespace gatescope::net
