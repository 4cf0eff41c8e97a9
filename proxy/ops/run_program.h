#pragma once

#include <string>
#include <vector>

#include "proxy/base/result.h"

namespace gatescope::ops {

/// Starts programs of the system (useradd, systemctl) and waits; a test writes down what would be
/// started.
class ProgramRunner {
 public:
  virtual ~ProgramRunner() = default;
  /// Its exit status, 128 + n when signal n ended it. Error NotFound: there is no such program.
  virtual Result<int> run(const std::vector<std::string>& words) = 0;
};

/// With this process's output and environment, found by $PATH and in sbin.
class SystemPrograms final : public ProgramRunner {
 public:
  Result<int> run(const std::vector<std::string>& words) override;
};

}  // namespace gatescope::ops
