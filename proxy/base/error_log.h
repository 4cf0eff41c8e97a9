#pragma once

#include <memory>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/log.h"
#include "proxy/base/log_file.h"

namespace gatescope {

/// Whether descriptor 2 leads to systemd's journal ($JOURNAL_STREAM, systemd.exec(5)).
bool stderr_is_journal();

/// "2026/11/23 22:13:00 [error] 1234#1234: message"; what could forge a line is escaped, and a long
/// one cut.
void append_error_line(std::string& line, LogLevel level, std::string_view message, WallTime now);

/// Lines as nginx writes them: "2026/11/23 22:13:00 [error] 1234#1234: message". One per error_log
/// directive. The LogFile is shared by name between generations; the registry that hands it out
/// outlives this.
class ErrorLog final : public Log {
 public:
  /// `journal`: each line begins with its level as the journal reads it, sd-daemon(3).
  ErrorLog(LogFile& file, LogLevel level, const Clock& clock, SharedLogSettings settings = {},
           bool journal = false)
      : file_(file),
        level_(level),
        clock_(clock),
        settings_(std::move(settings)),
        journal_(journal) {}
  bool enabled(LogLevel level) const override { return level <= level_; }
  void write(LogLevel level, std::string_view message) override;

 private:
  LogFile& file_;
  const LogLevel level_;
  const Clock& clock_;
  const SharedLogSettings settings_;  // null: the file's own
  const bool journal_;
};

/// What is written goes to each of them that takes its level.
class ErrorLogs final : public Log {
 public:
  void add(std::unique_ptr<Log> log) { logs_.push_back(std::move(log)); }
  bool enabled(LogLevel level) const override;
  void write(LogLevel level, std::string_view message) override;

 private:
  std::vector<std::unique_ptr<Log>> logs_;
};

}  // namespace gatescope
