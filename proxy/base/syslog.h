#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/log.h"
#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"

namespace gatescope {

/// What stands behind "syslog:" in access_log and error_log, as nginx has it:
/// server=ADDRESS[:PORT] | server=unix:PATH, facility=, severity=, tag=, nohostname, by commas.
struct SyslogSettings {
  std::string server;                // as written; a port is 514 where none stands
  unsigned facility = 23;            // local7; RFC 3164, 4.1.1
  std::optional<LogLevel> severity;  // none: that of the message; "info" for access logs
  std::string tag = "nginx";         // nginx's own default, which filters of old ask for
  bool hostname = true;

  /// Error Invalid, in the words that stand behind a directive's name.
  static Result<SyslogSettings> parse(std::string_view words);
};

/// Datagrams to a syslog daemon (RFC 3164): "<PRI>Nov  9 06:00:00 host tag: message". Never waits:
/// what cannot be sent is lost and counted. A daemon that was started anew is found by the next
/// line. One per place and settings, owned by LogFiles; survives reloads. Thread-safe.
class Syslog {
 public:
  /// Longer messages are cut: what rsyslog takes by default.
  static constexpr std::size_t kLongest = 8192;

  /// Resolves the server's name; blocks, so only while a configuration is loaded. A daemon that
  /// does not run yet is no error, a name that nobody knows is.
  static Result<std::unique_ptr<Syslog>> open(const SyslogSettings& settings);

  void send(LogLevel severity, std::string_view message, WallTime now);
  std::uint64_t lost_lines() const { return lost_.load(std::memory_order_relaxed); }
  int last_error() const { return error_.load(std::memory_order_relaxed); }

 private:
  Syslog(const SyslogSettings& settings, std::vector<std::byte> address);
  bool connect();
  void lose();  // errno says why

  // Constant after construction
  const SyslogSettings settings_;
  const std::vector<std::byte> address_;  // a sockaddr
  const bool is_udp_;
  const std::string behind_time_;  // " host tag: "

  std::mutex mutex_;
  UniqueFd socket_;  // none: not connected; guarded by mutex_
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<int> error_{0};  // errno of the last loss
};

/// error_log syslog: the lines of ErrorLog, as datagrams. `target` outlives it.
class SyslogErrorLog final : public Log {
 public:
  SyslogErrorLog(Syslog& target, LogLevel level, const Clock& clock)
      : target_(target), level_(level), clock_(clock) {}
  bool enabled(LogLevel level) const override { return level <= level_; }
  void write(LogLevel level, std::string_view message) override;

 private:
  Syslog& target_;
  const LogLevel level_;
  const Clock& clock_;
};

}  // namespace gatescope
