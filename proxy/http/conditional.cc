#include "proxy/http/conditional.h"

#include <fmt/format.h>

#include "proxy/base/text.h"

namespace gatescope::http {
namespace {

/// Takes the next entity tag off a list; false at its end or where it is no list of tags.
bool next_etag(std::string_view& list, std::string_view& tag, bool& weak) {
  while (!list.empty() && (list.front() == ' ' || list.front() == '\t' || list.front() == ','))
    list.remove_prefix(1);
  weak = list.starts_with("W/");
  if (weak) list.remove_prefix(2);
  if (!list.starts_with('"')) return false;
  const auto end = list.find('"', 1);
  if (end == std::string_view::npos) return false;
  tag = list.substr(0, end + 1);
  list.remove_prefix(end + 1);
  return true;
}

bool list_holds(std::string_view list, std::string_view etag, Comparison comparison) {
  if (trim(list) == "*") return true;
  const bool ours_is_weak = etag.starts_with("W/");
  if (ours_is_weak) etag.remove_prefix(2);
  if (etag.empty() || (ours_is_weak && comparison == Comparison::Strong)) return false;
  std::string_view tag;
  bool weak = false;
  while (next_etag(list, tag, weak)) {
    if (tag == etag && !(weak && comparison == Comparison::Strong)) return true;
  }
  return false;
}

std::optional<std::int64_t> date_of(const Request& request, std::string_view name) {
  const auto field = request.head.headers.find(name);
  return field ? parse_http_date(*field) : std::nullopt;
}

bool is_modified(const Validators& version, std::int64_t since, IfModifiedSince rule) {
  if (!version.last_modified) return true;
  switch (rule) {
    case IfModifiedSince::Off:
      return true;
    case IfModifiedSince::Exact:
      return *version.last_modified != since;
    case IfModifiedSince::Before:
      return *version.last_modified > since;
  }
  return true;
}

}  // namespace

std::string make_etag(std::int64_t last_modified, std::uint64_t size) {
  return fmt::format("\"{:x}-{:x}\"", static_cast<std::uint64_t>(last_modified), size);
}

bool lists_etag(const HeaderList& headers, std::string_view name, std::string_view etag,
                Comparison comparison) {
  for (const auto& field : headers) {
    if (equals_ignoring_case(field.name, name) && list_holds(field.value, etag, comparison))
      return true;
  }
  return false;
}

Precondition check_preconditions(const Request& request, const Validators& version,
                                 IfModifiedSince rule) {
  const auto& headers = request.head.headers;
  if (headers.has("if-match")) {
    if (!lists_etag(headers, "if-match", version.etag, Comparison::Strong))
      return Precondition::Failed;
  } else if (const auto date = date_of(request, "if-unmodified-since")) {
    if (version.last_modified && *version.last_modified > *date) return Precondition::Failed;
  }
  if (headers.has("if-none-match")) {
    // If-Modified-Since beside it is ignored (13.1.3); nginx would want both to hold.
    if (!lists_etag(headers, "if-none-match", version.etag, Comparison::Weak))
      return Precondition::Send;
    return request.is_get_or_head() ? Precondition::NotModified : Precondition::Failed;
  }
  if (request.is_get_or_head()) {
    if (const auto date = date_of(request, "if-modified-since")) {
      if (!is_modified(version, *date, rule)) return Precondition::NotModified;
    }
  }
  return Precondition::Send;
}

}  // namespace gatescope::http
