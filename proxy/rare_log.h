#pragma once

#include <string>
#include <utility>

#include "proxy/base/clock.h"
#include "proxy/base/error_log.h"

namespace gatescope::server {

/// An error log for rare events: the file is opened for each line, so that rotation never concerns
/// who writes. What cannot be opened gets no line.
class RareLog final : public Log {
 public:
  explicit RareLog(std::string path) : path_(std::move(path)) {}
  bool enabled(LogLevel) const override { return true; }
  void write(LogLevel level, std::string_view message) override {
    auto file = LogFile::open(path_, {});
    if (file) ErrorLog(**file, LogLevel::Debug, SystemClock()).write(level, message);
  }

 private:
  const std::string path_;
};

}  // namespace gatescope::server
