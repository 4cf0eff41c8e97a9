#include "proxy/net/uv_timer.h"

#include <algorithm>
#include <utility>

#include "proxy/net/uv_core.h"

namespace gatescope::net {

void TimerQueue::open(uv_loop_t* uv) {
  uv_timer_init(uv, &handle_);
  handle_.data = this;
}

void TimerQueue::close() {
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_), nullptr);
}

void TimerQueue::leave(UvTimer& timer) {
  if (timer.place_ != kNowhere) take_out(timer.place_);
  --timers_;
}

void TimerQueue::set(UvTimer& timer, std::uint64_t due) {
  // Not in this round: one that starts itself with 0 would keep everybody else out for ever.
  if (running_) due = std::max(due, now() + 1);
  if (timer.place_ != kNowhere) take_out(timer.place_);
  heap_.emplace_back();
  sift_up(heap_.size() - 1, {due, &timer});
  if (!running_ && timer.place_ == 0) arm();
}

std::uint64_t TimerQueue::due_of(const UvTimer& timer) const {
  return heap_[timer.place_].due;
}

void TimerQueue::run() {
  running_ = true;
  const std::uint64_t until = now();
  while (!heap_.empty() && heap_.front().due <= until) {
    UvTimer& timer = *heap_.front().timer;
    take_out(0);
    fired_ = true;
    timer.on_fired();
  }
  running_ = false;
  arm();
}

// One that went leaves libuv's timer as it is: it fires, finds nothing due, and is armed anew.
void TimerQueue::arm() {
  if (heap_.empty()) return static_cast<void>(uv_timer_stop(&handle_));
  const std::uint64_t due = heap_.front().due;
  const std::uint64_t present = now();
  uv_timer_start(
      &handle_, [](uv_timer_t* handle) noexcept { static_cast<TimerQueue*>(handle->data)->run(); },
      due > present ? due - present : 0, 0);
}

/// Those that had to wait for another round may meet others there: the order is that of deadlines.
bool TimerQueue::before(const Entry& a, const Entry& b) {
  return a.due != b.due ? a.due < b.due : a.timer->deadline_ < b.timer->deadline_;
}

void TimerQueue::put(std::size_t place, Entry entry) {
  heap_[place] = entry;
  entry.timer->place_ = static_cast<std::uint32_t>(place);
}

void TimerQueue::sift_up(std::size_t place, Entry entry) {
  while (place > 0) {
    const std::size_t parent = (place - 1) / 2;
    if (!before(entry, heap_[parent])) break;
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, entry);
}

void TimerQueue::sift_down(std::size_t place, Entry entry) {
  for (;;) {
    std::size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], entry)) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, entry);
}

void TimerQueue::take_out(std::size_t place) {
  heap_[place].timer->place_ = kNowhere;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (place == heap_.size()) return;
  if (place > 0 && before(last, heap_[(place - 1) / 2])) {
    sift_up(place, last);
  } else {
    sift_down(place, last);
  }
}

void UvTimer::start(Duration after) {
  deadline_ = queue_.clock().now() + std::max(after, Duration::zero());
  running_ = true;
  const std::uint64_t when = after > Duration::zero() ? due() : queue_.now();
  if (place_ == TimerQueue::kNowhere || when < queue_.due_of(*this)) queue_.set(*this, when);
}

// The first millisecond of libuv's clock that is not before the deadline; both clocks are
// CLOCK_MONOTONIC.
std::uint64_t UvTimer::due() const {
  return static_cast<std::uint64_t>(
      std::chrono::ceil<std::chrono::milliseconds>(deadline_.time_since_epoch()).count());
}

// The timer may be gone after on_timer().
void UvTimer::on_fired() {
  if (!running_) return;
  if (queue_.clock().now() < deadline_) return queue_.set(*this, due());
  running_ = false;
  events_.on_timer(*this);
}

std::unique_ptr<Timer> make_uv_timer(UvCore& core, TimerEvents& events) {
  return std::make_unique<UvTimer>(core.timers, events);
}

}  // namespace gatescope::net
