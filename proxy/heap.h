#pragma once

#include "proxy/net/loop.h"

namespace gatescope::server {

/// Tells the C library's allocator what this program is: buffers of some 100 KB come and go with
/// every turn. By default it returns the top of the heap to the system each time it is free (128
/// KB) and takes it back a turn later, page fault by page fault: 40 % of the CPU time of large
/// downloads, a quarter of that of small ones. Once, before threads start; without effect where the
/// library has no mallopt.
void tune_heap();

/// Gives back to the system what a burst left free in the heap. Looks every few seconds. Owned by
/// Server.
class HeapTrimmer final : private net::TimerEvents {
 public:
  /// Free bytes from which on they are given back.
  static constexpr std::size_t kKeepFree = 64u << 20;
  static constexpr Duration kLookEvery{10'000};

  explicit HeapTrimmer(net::Loop& loop);

 private:
  void on_timer(net::Timer& timer) override;
  const std::unique_ptr<net::Timer> timer_;
};

}  // namespace gatescope::server
