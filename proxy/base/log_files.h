#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "proxy/base/log_file.h"

namespace gatescope {

/// Opens a log for appending; the keeper may do it with rights that the worker lacks.
class LogOpener {
 public:
  virtual ~LogOpener() = default;
  virtual Result<UniqueFd> open_log(const std::string& path) = 0;
};
class OwnLogOpener final : public LogOpener {
 public:
  Result<UniqueFd> open_log(const std::string& path) override;
};

/// All log files of the program, by path: the same path in two directives or two generations is one
/// file. Survives reloads; owned by Server. A file that was opened stays until the end: generations
/// keep plain references. Thread-safe.
class LogFiles {
 public:
  explicit LogFiles(LogOpener& opener) : opener_(opener) {}
  Result<LogFile*> get(const std::string& path, LogFileSettings settings = {});
  /// USR1: every file by its path anew. Returns what failed, one text each; those go on with the
  /// old descriptor.
  std::vector<std::string> reopen();
  void flush();
  std::uint64_t lost_lines() const;

 private:
  LogOpener& opener_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<LogFile>> files_;
};

}  // namespace gatescope
