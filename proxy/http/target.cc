#include "proxy/http/target.h"

#include <cstring>

#include "proxy/base/text.h"

namespace gatescope::http {

namespace {

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  c = to_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

Error invalid(const char* what) {
  return make_error(ErrorKind::Invalid, Origin::Client, what);
}

/// RFC 3986 3.2.2: unreserved, sub-delims, pct-encoded (of what is no control); in brackets also
/// colons. Whatever else stands there is no host, and ends up in pages and redirects.
bool is_host_char(std::string_view name, std::size_t at, bool literal) {
  const char c = name[at];
  if (is_alpha(c) || is_digit(c)) return true;
  if (c == '%' && at + 2 < name.size()) {
    const int high = hex_value(name[at + 1]), low = hex_value(name[at + 2]);
    return high >= 2 && low >= 0 && high < 8 && !(high == 7 && low == 15);
  }
  if (literal && (c == ':' || c == '[' || c == ']')) return true;
  return c != '\0' && std::strchr("-._~!$&'()*+,;=", c) != nullptr;
}

bool needs_resolving(std::string_view path, bool merge_slashes) {
  for (std::size_t at = path.find('/'); at != std::string_view::npos; at = path.find('/', at + 1)) {
    if (at + 1 >= path.size()) break;
    if (path[at + 1] == '.' || (merge_slashes && path[at + 1] == '/')) return true;
  }
  return false;
}

}  // namespace

Result<std::string_view> resolve_dots(std::string_view path, bool merge_slashes, Arena& arena) {
  if (path.empty() || path.front() != '/')
    return invalid("a path that does not begin with a slash");
  if (!needs_resolving(path, merge_slashes)) return path;
  char* out = arena.text(path.size() + 1);
  std::size_t size = 0;
  out[size++] = '/';  // out always ends in the slash behind the last segment kept
  std::size_t at = 1;
  while (at <= path.size()) {
    std::size_t end = path.find('/', at);
    if (end == std::string_view::npos) end = path.size();
    const auto segment = path.substr(at, end - at);
    const bool last = end == path.size();
    if (segment == "..") {
      if (size == 1) return invalid("a path above the root");
      --size;
      while (out[size - 1] != '/')
        --size;
    } else if (segment != "." && !(segment.empty() && (last || merge_slashes))) {
      std::memcpy(out + size, segment.data(), segment.size());
      size += segment.size();
      if (!last) out[size++] = '/';
    }
    if (last) break;
    at = end + 1;
  }
  return std::string_view(out, size);
}

Result<Target> normalise_target(std::string_view raw, bool merge_slashes, Arena& arena) {
  Target target;
  std::string_view rest = raw;
  if (raw.find('\0') != std::string_view::npos)
    return invalid("client sent invalid request: NUL in the target");
  if (!rest.empty() && rest.front() != '/') {
    for (std::string_view scheme : {"http://", "https://"}) {
      if (!starts_with_ignoring_case(rest, scheme)) continue;
      rest.remove_prefix(scheme.size());
      const auto end = std::min(rest.find_first_of("/?#"), rest.size());
      target.authority = rest.substr(0, end);
      if (target.authority.empty())
        return invalid("client sent invalid request: no host in the target");
      rest.remove_prefix(end);
      if (rest.empty()) rest = "/";
      break;
    }
    if (target.authority.empty())
      return invalid("client sent invalid request: the target is not a path");
  }
  target.original = rest;
  if (const auto fragment = rest.find('#'); fragment != std::string_view::npos)
    rest = rest.substr(0, fragment);
  if (const auto question = rest.find('?'); question != std::string_view::npos) {
    target.has_args = true;
    target.args = rest.substr(question + 1);
    rest = rest.substr(0, question);
  }
  if (rest.empty()) rest = "/";  // http://host?args
  if (rest.front() != '/') return invalid("client sent invalid request: the target is not a path");
  if (rest.find('%') != std::string_view::npos) {
    char* out = arena.text(rest.size());
    std::size_t size = 0;
    for (std::size_t i = 0; i < rest.size(); ++i) {
      if (rest[i] != '%') {
        out[size++] = rest[i];
        continue;
      }
      const int high = i + 2 < rest.size() ? hex_value(rest[i + 1]) : -1;
      const int low = i + 2 < rest.size() ? hex_value(rest[i + 2]) : -1;
      if (high < 0 || low < 0) return invalid("client sent invalid request: bad percent escape");
      const char c = static_cast<char>(high * 16 + low);
      if (c == '\0') return invalid("client sent invalid request: %00 in the target");
      out[size++] = c;
      i += 2;
    }
    rest = {out, size};
  }
  auto path = resolve_dots(rest, merge_slashes, arena);
  if (!path)
    return make_error(ErrorKind::Invalid, Origin::Client,
                      "client sent invalid request: " + path.error().detail);
  target.path = *path;
  return target;
}

std::optional<Host> parse_host(std::string_view value, Arena& arena) {
  std::size_t end = value.size();
  bool upper = false;
  std::string_view port;
  if (!value.empty() && value.front() == '[') {
    end = value.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    ++end;
    if (end < value.size()) {
      if (value[end] != ':') return std::nullopt;
      port = value.substr(end + 1);
    }
  } else if (const auto colon = value.find(':'); colon != std::string_view::npos) {
    end = colon;
    port = value.substr(colon + 1);
  }
  unsigned number = 0;
  if (port.size() > 5) return std::nullopt;
  for (const char c : port) {
    if (!is_digit(c)) return std::nullopt;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  if (number > 65535) return std::nullopt;
  auto name = value.substr(0, end);
  const bool literal = name.starts_with('[');
  if (literal && name.size() == 2) return std::nullopt;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if ((c >= 'a' && c <= 'z') || is_digit(c)) continue;  // nearly all
    if (c == '.') {
      if (i > 0 && name[i - 1] == '.') return std::nullopt;
      continue;
    }
    if (!is_host_char(name, i, literal)) return std::nullopt;
    if (c >= 'A' && c <= 'Z') upper = true;
  }
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  if (name.empty()) return std::nullopt;
  if (!upper) return Host{name, port};
  char* out = arena.text(name.size());
  for (std::size_t i = 0; i < name.size(); ++i)
    out[i] = to_lower(name[i]);
  return Host{{out, name.size()}, port};
}

}  // namespace gatescope::http
