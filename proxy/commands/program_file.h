#pragma once

#include <string>

#include "proxy/base/result.h"

namespace gatescope::commands {

/// The path that a process was started by, made absolute: where its program is looked for when it
/// is exchanged (USR2).
Result<std::string> program_path_of(int pid);

/// A program put in the place of another, which is kept as PATH.before until it is clear that it is
/// not wanted any more.
class ProgramFile {
 public:
  explicit ProgramFile(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }
  /// Copies `source` beside the file and swaps them. Error: the file is as it was.
  Result<void> replace_by(const std::string& source);
  /// As it was before replace_by(); no effect without.
  Result<void> put_back();

 private:
  const std::string path_;
  bool replaced_ = false;
};

}  // namespace gatescope::commands
