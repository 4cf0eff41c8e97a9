#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "proxy/base/log.h"

namespace gatescope {

/// Passes lines on to a log that is exchanged while it is in use (a reload brings another one).
/// Shared ownership, because a thread may be writing while another exchanges. Thread-safe.
class RelayLog final : public Log {
 public:
  /// Null: lines are dropped.
  void relay_to(std::shared_ptr<Log> log) {
    {
      const std::lock_guard lock(mutex_);
      log_.swap(log);
    }  // the old one is let go without the lock
  }
  bool enabled(LogLevel level) const override {
    const auto log = target();
    return log && log->enabled(level);
  }
  void write(LogLevel level, std::string_view message) override {
    if (const auto log = target()) log->write(level, message);
  }
  std::shared_ptr<Log> target() const {
    const std::lock_guard lock(mutex_);
    return log_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<Log> log_;
};

}  // namespace gatescope
