#pragma once

// What the parts of the libuv loop share. Private to proxy/net/*.cc: with uv_stream.h and
// uv_timer.h the only headers that include uv.h.

#include <uv.h>

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/log.h"
#include "proxy/base/unique_fd.h"
#include "proxy/net/loop.h"
#include "proxy/net/uv_timer.h"

namespace gatescope::net {

/// The loop's clock: one reading per turn, made when somebody asks first. A member of UvCore.
class TurnClock final : public Clock {
 public:
  MonoTime now() const override;
  WallTime wall() const override;
  void forget() { mono_known_ = wall_known_ = false; }

 private:
  mutable MonoTime mono_{};
  mutable WallTime wall_{};
  mutable bool mono_known_ = false;
  mutable bool wall_known_ = false;
};

/// Those who want the next turn, in order, so many a turn: a thousand downloads that go on must not
/// make one turn of thirty milliseconds, in which nobody else is heard. A member of UvCore.
class NextTurns {
 public:
  static constexpr std::size_t kPerTurn = 32;  // of at most 64 KB each: about a millisecond

  void add(TurnHook& hook) {
    if (hook.scheduled()) return;
    if (turns_.empty() || turns_.back().size == kPerTurn) turns_.emplace_back();
    turns_.back().hooks.add(hook);
    ++turns_.back().size;
  }
  void move_first_to(TurnHooks& hooks) {
    if (turns_.empty()) return;
    turns_.front().hooks.move_to(hooks);
    turns_.pop_front();
  }
  bool empty() const { return turns_.empty(); }

 private:
  struct Turn {
    TurnHooks hooks;
    std::size_t size = 0;  // added; some may have gone since
  };
  std::deque<Turn> turns_;
};

/// The loop as its own parts see it. A member of the UvLoop; every part is destroyed before it.
class UvCore {
 public:
  static constexpr std::size_t kReadBuffer = 64 * 1024;

  UvCore(Loop& loop, Log& log) : loop(loop), log(log), buffer_(new char[kReadBuffer]) {}
  uv_loop_t* uv() { return &uv_; }
  /// One for all streams of the loop: what was read is used or copied before the callback returns.
  uv_buf_t read_buffer() { return uv_buf_init(buffer_.get(), kReadBuffer); }
  Loop& loop;
  Log& log;
  TurnClock clock;
  TurnHooks hooks;
  NextTurns next_turns;
  TimerQueue timers{clock};

 private:
  uv_loop_t uv_{};
  const std::unique_ptr<char[]> buffer_;
};

/// A libuv handle in a heap block of its own, with a nullable pointer back to its owner: libuv
/// keeps the handle until the close callback, which is after the owner's end. A member of the
/// owner; destroying it closes.
template <class Handle, class Owner>
class UvHandle {
 public:
  explicit UvHandle(Owner& owner) : block_(new Block{{}, &owner}) { block_->handle.data = block_; }
  UvHandle(const UvHandle&) = delete;
  UvHandle& operator=(const UvHandle&) = delete;
  ~UvHandle() {
    block_->owner = nullptr;
    if (block_->handle.loop == nullptr) {  // init was not reached or failed
      delete block_;
    } else {
      uv_close(reinterpret_cast<uv_handle_t*>(&block_->handle),
               [](uv_handle_t* handle) noexcept { delete static_cast<Block*>(handle->data); });
    }
  }
  Handle* get() { return &block_->handle; }
  const Handle* get() const { return &block_->handle; }
  /// Null once the owner is gone.
  static Owner* owner_of(Handle* handle) { return static_cast<Block*>(handle->data)->owner; }

 private:
  struct Block {
    Handle handle;
    Owner* owner;
  };
  Block* const block_;
};

std::unique_ptr<Timer> make_uv_timer(UvCore& core, TimerEvents& events);
std::unique_ptr<DescriptorWatch> make_uv_watch(UvCore& core, int fd, DescriptorEvents& events);
std::unique_ptr<Listener> make_uv_listener(UvCore& core, UniqueFd fd, AcceptEvents& events);
std::unique_ptr<Connecting> make_uv_connecting(UvCore& core, const LocalAddress& from,
                                               const Endpoint& endpoint, Duration timeout,
                                               ConnectEvents& events);
Result<std::unique_ptr<Process>> spawn_process(UvCore& core, const ProcessOptions& options,
                                               ProcessEvents& events);

}  // namespace gatescope::net
