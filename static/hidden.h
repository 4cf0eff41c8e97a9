#pragma once

#include <string_view>

namespace gatescope::files {

/// Whether a path has a segment that begins with a dot (.git, .env), other than below /.well-known/
/// (RFC 8615, where ACME's challenges are). Without `dotfiles on` such a path leads to nothing.
inline bool is_hidden(std::string_view path) {
  if (path == "/.well-known" || path.starts_with("/.well-known/")) return false;
  return path.find("/.") != std::string_view::npos;
}

}  // namespace gatescope::files
