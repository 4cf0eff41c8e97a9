#pragma once

#include <cstdint>
#include <string>

#include "proxy/base/clock.h"

namespace gatescope::commands {

/// Lines on standard output, and below them, on a terminal, a bar that is drawn again ten times a
/// second at most; elsewhere there is no bar. One thread at a time. On the stack of a command.
class ProgressBar {
 public:
  explicit ProgressBar(const Clock& clock);
  ~ProgressBar() { clear(); }
  void line(const std::string& text);
  void show(const std::string& what, std::uint64_t done, std::uint64_t total);
  void clear();

 private:
  const Clock& clock_;
  const unsigned columns_;  // 0: no terminal
  bool drawn_ = false;
  MonoTime at_{};
};

}  // namespace gatescope::commands
