#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proxy/base/histogram.h"

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

/// One thread's share of a number: adding is a load and a store, without the lock of a Counter that
/// all loops would pull at with every request. Read by any thread.
class LoopCounter {
 public:
  void add(std::int64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void sub(std::int64_t n = 1) { add(-n); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// A counter only grows while the program runs; a gauge is how something is now.
enum class StatKind { Counter, Gauge, Histogram };

/// Tell members of one family apart: {{"class", "5xx"}, {"handler", "api"}}. Few and bounded: never
/// what a client chose.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// A number as it was when it was looked at. Not for longer than its Stats live, whose the texts
/// are.
struct Sample {
  std::string_view name, unit, help;
  StatKind kind = StatKind::Counter;
  Labels labels;
  std::int64_t value = 0;  // not of a histogram
  std::shared_ptr<const TimeCounts>
      times;  // of a histogram: shared, since a sample is copied about
};

/// One registry per Server. Modules register their numbers by name and unit and keep the reference;
/// the status page, metrics and `gatescope status` only read. Names: "http_requests"; units:
/// "requests", "bytes", "seconds", "connections". All members of a family (one name) have the kind,
/// the unit and the help that the first one was registered with.
class Stats {
 public:
  /// The same name and labels give the same counter, so a module may ask again after a reload.
  Counter& counter(std::string_view name, std::string_view unit, std::string_view help,
                   Labels labels = {});
  Counter& gauge(std::string_view name, std::string_view unit, std::string_view help,
                 Labels labels = {});
  /// A share of a number: shown is the sum of all of them. It outlives the last look at this.
  void add_part(StatKind kind, std::string_view name, std::string_view unit, std::string_view help,
                Labels labels, const LoopCounter& part);
  void add_part(std::string_view name, std::string_view unit, std::string_view help, Labels labels,
                const TimeHistogram& part);
  /// A family of gauges whose members come and go (certificates, groups of servers), all at once.
  void replace(std::string_view name, std::string_view unit, std::string_view help,
               const std::vector<std::pair<Labels, std::int64_t>>& members);

  /// Everything, by family in order of registration.
  std::vector<Sample> samples() const;

 private:
  struct Member {
    Labels labels;
    Counter counter;
    std::vector<const LoopCounter*> parts;
    std::vector<const TimeHistogram*> times;
  };
  struct Family {
    std::string name, unit, help;
    StatKind kind = StatKind::Counter;
    std::vector<std::unique_ptr<Member>> members;  // references to their counters stay valid
  };
  Family& family(StatKind kind, std::string_view name, std::string_view unit,
                 std::string_view help);
  Member& member(StatKind kind, std::string_view name, std::string_view unit, std::string_view help,
                 Labels labels);

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Family>> families_;
};

/// Samples, found by name. A value, for whoever shows some of them.
class StatValues {
 public:
  explicit StatValues(std::vector<Sample> samples);
  /// Of all members whose labels hold this one (or of all); 0 when there is none.
  std::int64_t sum(std::string_view name, std::string_view label = {},
                   std::string_view value = {}) const;
  bool has(std::string_view name) const { return by_name_.contains(name); }
  TimeCounts times(std::string_view name) const;  // of all members
  const std::vector<Sample>& of(std::string_view name) const;

 private:
  std::unordered_map<std::string_view, std::vector<Sample>> by_name_;
};

}  // namespace gatescope
