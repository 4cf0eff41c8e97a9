#include "static/spa_fallback.h"

#include "proxy/base/text.h"
#include "proxy/http/content_hash.h"
#include "static/mime.h"

namespace gatescope::files {
namespace {

bool below_hashed(const SpaSettings& spa, std::string_view path) {
  return !spa.hashed.empty() && path.starts_with(spa.hashed);
}

bool accepts_html(const http::HeaderList& headers) {
  for (const auto& field : headers) {
    if (!equals_ignoring_case(field.name, "accept")) continue;
    for (const auto part : split(field.value, ','))
      if (equals_ignoring_case(trim(part.substr(0, part.find(';'))), "text/html")) return true;
  }
  return false;
}

}  // namespace

bool is_navigation(const SpaSettings& spa, const http::Request& request) {
  if (!request.is_get_or_head() || below_hashed(spa, request.path)) return false;
  if (extension_of(request.path).empty()) return true;
  const auto destination = request.head.headers.find("sec-fetch-dest");
  return (destination && *destination == "document") || accepts_html(request.head.headers);
}

std::string_view spa_cache_control(const SpaSettings& spa, std::string_view path) {
  if (path == spa.index) return "no-cache";
  if (below_hashed(spa, path) && http::has_content_hash(path))
    return "public, max-age=31536000, immutable";
  return {};
}

}  // namespace gatescope::files
