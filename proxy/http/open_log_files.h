#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"

namespace gatescope::http {

/// open_log_file_cache: descriptors of logs whose names hold variables. nginx's defaults.
struct OpenLogFileSettings {
  std::size_t max = 0;       // descriptors kept open; 0: each is closed after its line
  Duration inactive{10000};  // closed when not used for so long
  Duration valid{60000};     // looked at this often: the name may mean another file by now
  unsigned min_uses = 1;     // within `inactive`, to be kept open
};

/// Appends lines to files by name, a bounded number of which stay open. The caller's thread writes,
/// without waiting for a reader. Owned by the locations of one generation that share the setting.
/// Thread-safe.
class OpenLogFiles {
 public:
  explicit OpenLogFiles(OpenLogFileSettings settings) : settings_(settings) {}
  /// `line` with its newline. The error has errno's text.
  Result<void> append(const std::string& path, std::string_view line, MonoTime now);

 private:
  struct File {
    UniqueFd fd;  // none: used too seldom
    unsigned uses = 0;
    MonoTime used{}, checked{};
    std::uint64_t inode = 0, device = 0;
  };
  void forget_old(MonoTime now);
  static Result<void> write(int fd, const std::string& path, std::string_view line);

  const OpenLogFileSettings settings_;
  std::mutex mutex_;
  std::map<std::string, File> files_;
};

}  // namespace gatescope::http
