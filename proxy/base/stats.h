#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace gatescope {

/// One number that the program counts. Written by any thread, read by the status page.
class Counter {
 public:
  void add(std::int64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  void sub(std::int64_t n = 1) { value_.fetch_sub(n, std::memory_order_relaxed); }
  void set(std::int64_t n) { value_.store(n, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// One registry per Server. Modules register their numbers by name and unit and keep the reference;
/// the status page, metrics and `gatescope status` only read. Names: "http_requests", units:
/// "requests", "bytes", "connections".
class Stats {
 public:
  struct Entry {
    std::string name, unit, help;
    Counter counter;
  };
  /// The same name gives the same counter, so a module may ask again after a reload.
  Counter& counter(std::string_view name, std::string_view unit, std::string_view help);
  std::vector<const Entry*> entries() const;  // in order of registration

 private:
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;  // a deque: references stay valid
};

}  // namespace gatescope
