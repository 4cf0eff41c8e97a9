#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace gatescope::integration {

/// A folder of the test's own, gone with it. Others may pass through: the worker of a server that
/// root started is somebody else.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string path(std::string_view name = {}) const;  // absolute
  /// Makes folders on the way. Returns the absolute path.
  std::string write(std::string_view name, std::string_view text, unsigned mode = 0644) const;
  std::string read(std::string_view name) const;  // "" when it is not there
  bool has(std::string_view name) const;

 private:
  std::filesystem::path folder_;
};

std::string read_file(const std::string& path);  // "" when it is not there

}  // namespace gatescope::integration
