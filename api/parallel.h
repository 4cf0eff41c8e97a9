#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace gatescope::api {

/// Runs work(0) ... work(count - 1) on `threads` threads, and tick() on this one ten times a second
/// until all is done. `stop`: what has not begun is left out. For commands: a server has lanes.
template <class Work, class Tick>
void run_parallel(unsigned threads, std::size_t count, const std::atomic<bool>& stop,
                  const Work& work, const Tick& tick) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::condition_variable ended;
  unsigned running = threads;  // under the mutex
  std::vector<std::jthread> pool;
  for (unsigned i = 0; i < threads; ++i) {
    pool.emplace_back([&] {
      for (std::size_t n = next++; n < count && !stop; n = next++)
        work(n);
      const std::lock_guard lock(mutex);
      if (--running == 0) ended.notify_one();
    });
  }
  std::unique_lock lock(mutex);
  while (!ended.wait_for(lock, std::chrono::milliseconds(100), [&] { return running == 0; }))
    tick();
}

}  // namespace gatescope::api
