#pragma once

#include <fmt/format.h>

#include "proxy/base/log.h"

namespace gatescope::commands {

/// What a command's parts have to say, to the person who gave it: lines of `most` and graver, on
/// standard error.
class StderrLog final : public Log {
 public:
  explicit StderrLog(LogLevel most = LogLevel::Warn) : most_(most) {}
  bool enabled(LogLevel level) const override { return level <= most_; }
  void write(LogLevel level, std::string_view message) override {
    if (enabled(level)) fmt::print(stderr, "gatescope: [{}] {}\n", name_of(level), message);
  }

 private:
  const LogLevel most_;
};

}  // namespace gatescope::commands
