#pragma once

#include <string>

#include "proxy/base/result.h"

namespace gatescope::server {

/// Writes this process's number (nginx's `pid`); the folder must exist. Overwrites a stale one.
Result<void> write_pid_file(const std::string& path, int pid);
void remove_pid_file(const std::string& path);
/// For -s: the number in the file.
Result<int> read_pid_file(const std::string& path);

}  // namespace gatescope::server
