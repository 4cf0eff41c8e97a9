#include "api/search_term.h"

#include <utility>

#include "api/utf8.h"
#include "proxy/base/text.h"
#include "proxy/http/target.h"

namespace gatescope::api {

namespace {

/// What `raw` becomes when it is routed, with or without merged slashes, is `path`.
bool leads_to(std::string_view raw, std::string_view path, Arena& arena) {
  for (const bool merge_slashes : {true, false}) {
    const auto target = http::normalise_target(raw, merge_slashes, arena);
    if (target && target->path == path) return true;
  }
  return false;
}

/// Behind the endpoint in the target as sent; nullopt: it is not in there.
std::optional<std::string_view> raw_term(std::string_view target, std::string_view endpoint,
                                         Arena& arena) {
  target = target.substr(0, target.find_first_of("?#"));
  const std::string_view name = endpoint.substr(endpoint.rfind('/') + 1);
  for (std::size_t begin = 0; begin < target.size();) {
    const std::size_t end = target.find('/', begin);
    if (end == std::string_view::npos) break;
    const std::string_view segment = target.substr(begin, end - begin);
    if ((segment == name || percent_decode(segment) == name) &&
        leads_to(target.substr(0, end), endpoint, arena)) {
      return target.substr(end + 1);
    }
    begin = end + 1;
  }
  return std::nullopt;
}

SearchTerm checked(std::optional<std::string> term) {
  if (!term || !is_valid_utf8(*term))
    return {{}, "The search term must be UTF-8, percent-encoded where the path asks for it.\n"};
  if (term->find('\0') != std::string::npos)
    return {{}, "The search term must not hold a NUL character.\n"};
  if (utf8_length(*term) > kLongestTerm)
    return {{}, "The search term must not be longer than 200 characters.\n"};
  return {*std::move(term), {}};
}

}  // namespace

std::optional<SearchTerm> search_term(const http::Request& request, std::string_view endpoint,
                                      Arena& arena) {
  const std::string_view name = endpoint.substr(endpoint.rfind('/') + 1);
  const std::string_view target = request.original_uri;
  const bool may_be_there =
      target.find(name) != std::string_view::npos || target.find('%') != std::string_view::npos;
  if (may_be_there && leads_to(target, request.path, arena)) {
    const auto raw = raw_term(target, endpoint, arena);
    if (!raw || raw->empty()) return std::nullopt;
    return checked(percent_decode(*raw));
  }
  // Rewritten, or no search.
  std::string_view path = request.path;
  if (!path.starts_with(endpoint)) return std::nullopt;
  path.remove_prefix(endpoint.size());
  if (path.size() < 2 || path[0] != '/') return std::nullopt;
  return checked(std::string(path.substr(1)));
}

}  // namespace gatescope::api
