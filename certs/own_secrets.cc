#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "certs/tls_context.h"
#include "proxy/base/unique_fd.h"

namespace gatescope::tls {
namespace {

// A PEM file with a long chain has some 20 KB; what is larger is not one.
constexpr std::size_t kMaxSecret = 4 << 20;

}  // namespace

Result<std::string> OwnSecrets::read_secret(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return system_error(errno, fmt::format("open() \"{}\"", path));
  std::string text;
  std::array<char, 8192> part;
  for (;;) {
    const ssize_t n = ::read(fd.get(), part.data(), part.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(errno, fmt::format("read() \"{}\"", path));
    if (n == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(n));
    if (text.size() > kMaxSecret) {
      return make_error(ErrorKind::TooLarge, Origin::Internal,
                        fmt::format("\"{}\" is too large for a PEM file", path));
    }
  }
}

}  // namespace gatescope::tls
