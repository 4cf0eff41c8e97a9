// Targets and hosts: whatever comes, a path that is let through stays below the root and holds no
// NUL; normalising it again changes nothing.

#include <cstdint>
#include <cstdlib>

#include "proxy/http/target.h"

using namespace gatescope;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_path(std::string_view path, bool merge, Arena& arena) {
  require(!path.empty() && path.front() == '/');
  require(path.find("/../") == std::string_view::npos && !path.ends_with("/..") &&
          path.find("/./") == std::string_view::npos);
  require(path.find('\0') == std::string_view::npos);
  if (merge) require(path.find("//") == std::string_view::npos);
  const auto again = http::resolve_dots(path, merge, arena);
  require(again.ok() && *again == path);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Arena arena;
  for (const bool merge : {true, false}) {
    const auto target = http::normalise_target(input, merge, arena);
    if (target) check_path(target->path, merge, arena);
  }
  if (const auto host = http::parse_host(input, arena)) {
    require(!host->name.empty() && host->name.find('/') == std::string_view::npos);
    for (const char c : host->name)
      require(!(c >= 'A' && c <= 'Z') && static_cast<unsigned char>(c) > 32);
  }
  return 0;
}
