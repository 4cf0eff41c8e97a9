// map_uri: which URI the upstream is asked for.

#include <fmt/format.h>

#include <iterator>

#include "proxy/base/text.h"
#include "proxy/http/target.h"
#include "proxy/upstream/request_head.h"

namespace gatescope::upstream {

namespace {

/// nginx passes what variables hold; a blank or a control character would end the target, or the
/// line.
std::string without_line_breaks(std::string text) {
  const auto unsafe = [](char c) { return static_cast<unsigned char>(c) <= 32 || c == 127; };
  bool found = false;
  for (char c : text)
    found = found || unsafe(c);
  if (!found) return text;
  std::string safe;
  for (char c : text) {
    if (unsafe(c)) {
      fmt::format_to(std::back_inserter(safe), "%{:02X}", static_cast<unsigned char>(c));
    } else {
      safe += c;
    }
  }
  return safe;
}

}  // namespace

std::string map_uri(const UriInput& in) {
  if (in.from_variables && !in.proxy_uri.empty())
    return without_line_breaks(std::string(in.proxy_uri));
  if (in.proxy_uri.empty() && !in.changed) return without_line_breaks(std::string(in.original));

  // A path that `rewrite ... break` took out of the location keeps nothing of proxy_pass's URI.
  const bool replace = !in.proxy_uri.empty() && in.path.starts_with(in.location);
  std::string uri;
  auto rest = in.path;
  if (replace) {
    uri = in.proxy_uri;
    rest.remove_prefix(in.location.size());
  }
  // As nginx: what the client did not escape is not escaped either ("/ä" raw stays raw).
  const bool escape = in.internal || in.changed || in.original.find('%') != std::string_view::npos;
  uri += escape ? percent_encode_path(rest) : std::string(rest);
  if (!in.args.empty()) {
    uri += '?';
    uri += in.args;
  }
  return without_line_breaks(std::move(uri));
}

UriInput uri_input(http::Exchange& exchange, const ProxyPass& pass, const ProxyUrl& url) {
  const auto& request = exchange.request();
  UriInput in;
  in.original = request.original_uri;
  in.path = request.path;
  in.args = request.args;
  in.internal = exchange.is_internal();
  in.location = pass.location;
  in.proxy_uri = url.uri;
  in.from_variables = !pass.url;
  if (!in.original.starts_with('/')) in.original = "/";  // "*", "http://host?args"
  const auto question = in.original.find('?');
  const bool same_args =
      in.args == (question == std::string_view::npos ? "" : in.original.substr(question + 1));
  if (in.original.substr(0, question) != in.path || !same_args) {
    // Different text may still be the same path, before it was decoded.
    const auto first = http::normalise_target(
        request.original_uri, exchange.core().merge_slashes.get(), exchange.arena());
    in.changed = !first || first->path != in.path || first->args != in.args;
  }
  return in;
}

}  // namespace gatescope::upstream
