#pragma once

#include <string>

#include "proxy/base/result.h"

namespace gatescope::server {

/// Makes the folder that is to hold it, and the control socket beside it, before either is made:
/// /run/gatescope/ is gone after each start of the machine, and not everybody has a unit to make
/// it.
void make_pid_folder(const std::string& path);
/// Writes this process's number (nginx's `pid`); the folder must exist. Overwrites a stale one.
Result<void> write_pid_file(const std::string& path, int pid);
void remove_pid_file(const std::string& path);
/// For -s: the number in the file.
Result<int> read_pid_file(const std::string& path);

}  // namespace gatescope::server
