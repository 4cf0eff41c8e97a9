#pragma once

// The error log as everybody sees it: levels, one line per event. Where lines go is LogFile's
// business.

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace gatescope {

/// nginx's levels, in its order; [alert] and [emerg] are for real emergencies only.
enum class LogLevel { Emerg, Alert, Crit, Error, Warn, Notice, Info, Debug };
std::string_view name_of(LogLevel level);

/// Where error lines go. Implementations: ErrorLog (a file, proxy/base/error_log.h), and a recorder
/// in the tests. Thread-safe.
class Log {
 public:
  virtual ~Log() = default;
  virtual bool enabled(LogLevel level) const = 0;
  /// One line without newline, time and level; control characters in `message` are written as \xNN.
  virtual void write(LogLevel level, std::string_view message) = 0;

  template <class... A>
  void print(LogLevel level, fmt::format_string<A...> format, A&&... args) {
    if (enabled(level)) write(level, fmt::format(format, std::forward<A>(args)...));
  }
};

/// Swallows everything; for tests that do not look.
class NullLog final : public Log {
 public:
  bool enabled(LogLevel) const override { return false; }
  void write(LogLevel, std::string_view) override {}
};

}  // namespace gatescope
