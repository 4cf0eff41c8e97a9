#pragma once

#include <memory>

#include "proxy/base/clock.h"
#include "proxy/base/log.h"
#include "proxy/base/log_file.h"

namespace gatescope {

/// Lines as nginx writes them: "2026/11/23 22:13:00 [error] 1234#1234: message". One per error_log
/// directive. The LogFile is shared by name between generations; the registry that hands it out
/// outlives this.
class ErrorLog final : public Log {
 public:
  ErrorLog(LogFile& file, LogLevel level, const Clock& clock)
      : file_(file), level_(level), clock_(clock) {}
  bool enabled(LogLevel level) const override { return level <= level_; }
  void write(LogLevel level, std::string_view message) override;

 private:
  LogFile& file_;
  const LogLevel level_;
  const Clock& clock_;
};

}  // namespace gatescope
