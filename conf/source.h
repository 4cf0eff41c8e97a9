#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"

namespace gatescope::conf {

/// Where something stands in the configuration; lines and columns count from 1. `file` points into
/// the Sources that own every name for as long as the Configuration lives.
struct Place {
  std::string_view file;
  unsigned line = 0;
  unsigned column = 0;
};
/// "/etc/gatescope/gatescope.conf:12:5"
std::string to_string(const Place& place);
/// `what in FILE:LINE:COL`, the form of every configuration error.
Error error_at(const Place& place, std::string_view what);
/// The error with the place behind it, unless it has one: what a module passes on from elsewhere (a
/// template, a regex, a log file) has none.
Error at_place(Error error, const Place& place);

/// Reads configuration files; the real one asks the file system, tests use a map. Paths are
/// absolute.
class FileReader {
 public:
  virtual ~FileReader() = default;
  virtual Result<std::string> read(const std::string& path) = 0;
  /// The files that a glob pattern names, sorted; a pattern without wildcards names itself.
  virtual Result<std::vector<std::string>> expand(const std::string& pattern) = 0;
};

class SystemFileReader final : public FileReader {
 public:
  Result<std::string> read(const std::string& path) override;
  Result<std::vector<std::string>> expand(const std::string& pattern) override;
};

}  // namespace gatescope::conf
