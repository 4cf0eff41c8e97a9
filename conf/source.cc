#include "conf/source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "proxy/base/unique_fd.h"

namespace gatescope::conf {

std::string to_string(const Place& place) {
  return fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

Error error_at(const Place& place, std::string_view what) {
  return make_error(ErrorKind::Invalid, Origin::Internal,
                    fmt::format("{} in {}", what, to_string(place)));
}

namespace {

/// ":12:5" at the end: made by error_at().
bool ends_in_place(std::string_view detail) {
  for (int parts = 0; parts < 2; ++parts) {
    const std::size_t digits = detail.size() - (detail.find_last_not_of("0123456789") + 1);
    detail.remove_suffix(digits);
    if (digits == 0 || !detail.ends_with(':')) return false;
    detail.remove_suffix(1);
  }
  return true;
}

}  // namespace

Error at_place(Error error, const Place& place) {
  if (!ends_in_place(error.detail)) error.detail += " in " + to_string(place);
  return error;
}

Result<std::string> SystemFileReader::read(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_error(errno, fmt::format("open() \"{}\"", path));
  std::string text;
  std::array<char, 16384> buffer;
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n == 0) return text;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(errno, fmt::format("read() \"{}\"", path));
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

Result<std::vector<std::string>> SystemFileReader::expand(const std::string& pattern) {
  if (pattern.find_first_of("*?[") == std::string::npos) return std::vector{pattern};
  glob_t found{};
  errno = 0;
  const int failed = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
  const std::unique_ptr<glob_t, void (*)(glob_t*)> release(&found, ::globfree);
  if (failed == GLOB_NOMATCH) return std::vector<std::string>{};
  if (failed != 0) return system_error(errno, fmt::format("glob() \"{}\"", pattern));
  std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  std::sort(paths.begin(), paths.end());  // by bytes, whatever the locale
  return paths;
}

}  // namespace gatescope::conf
