#pragma once

// What a client names: the target of a request line and the Host field, made safe.

#include <optional>
#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/base/result.h"

namespace gatescope::http {

struct Target {
  std::string_view
      path;  // decoded, "." and ".." resolved, slashes merged when asked; begins with '/'
  std::string_view args;  // behind '?', raw
  bool has_args = false;
  std::string_view original;   // path and args as sent, without scheme and authority: $request_uri
  std::string_view authority;  // of absolute-form, raw; empty otherwise
};

/// RFC 9112 3.2: origin-form or absolute-form (http, https). Error Invalid: bad escape, %00, a path
/// above the root, another form. A fragment is dropped, as nginx does. Views are into `raw` where
/// nothing had to change, else into `arena`.
Result<Target> normalise_target(std::string_view raw, bool merge_slashes, Arena& arena);

/// The path alone, for internal redirects whose text is decoded already: resolves dots and slashes
/// only.
Result<std::string_view> resolve_dots(std::string_view path, bool merge_slashes, Arena& arena);

/// A Host (or authority) value without its port, lower case, without a final dot; nullopt when it
/// is not a host by RFC 3986 3.2.2 (stricter than nginx: no brackets, quotes or bytes over 127), or
/// has two dots side by side, an unclosed bracket, a bad port.
struct Host {
  std::string_view name, port;
};
std::optional<Host> parse_host(std::string_view value, Arena& arena);

}  // namespace gatescope::http
