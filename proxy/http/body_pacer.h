#pragma once

#include <cstdint>
#include <memory>

#include "proxy/base/bytes.h"
#include "proxy/net/loop.h"

namespace gatescope::http {

/// limit_rate: lets the body of one response out no faster than so many bytes a second, the first
/// second's at once. Owned by the Exchange; what it holds is bounded by its writers, who are told
/// to wait. Idle -> Waiting (timer, or the link is full) -> Idle.
class BodyPacer final : private net::TimerEvents {
 public:
  class Events {
   public:
    virtual ~Events() = default;
    virtual Flow on_paced(SharedBytes bytes) = 0;  // send them
    virtual void on_all_paced() = 0;               // nothing waits any more
  };
  /// `rate` is not 0; `after`: bytes that go out before it counts (limit_rate_after).
  BodyPacer(net::Loop& loop, std::uint64_t rate, std::uint64_t after, Events& events);
  Flow add(SharedBytes bytes);
  bool empty() const { return waiting_.empty() && rest_.empty(); }
  /// Something waits here, or would: the link is full.
  bool holds() const { return full_ || !empty(); }
  void go_on();  // the link takes more again

 private:
  void on_timer(net::Timer& timer) override;
  bool pump();  // true: all is out, and more may come

  net::Loop& loop_;
  const std::uint64_t rate_, after_;
  Events& events_;
  const MonoTime start_;
  const std::unique_ptr<net::Timer> timer_;
  std::uint64_t sent_ = 0;
  SharedBytes rest_;  // of a piece that went out in part: before what waits
  ByteQueue waiting_;
  bool full_ = false;  // the link is
};

}  // namespace gatescope::http
