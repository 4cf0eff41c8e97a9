#include "static/spa_fallback.h"

#include <algorithm>

#include "proxy/base/text.h"
#include "static/mime.h"

namespace gatescope::files {
namespace {

constexpr std::size_t kHashLength = 8;  // what vite and webpack write at least

/// A digest in base64url or hexadecimal; a digit or both cases tell it from a word.
bool looks_like_hash(std::string_view text) {
  bool digit = false, upper = false, small = false;
  for (const char c : text) {
    if (!is_alpha(c) && !is_digit(c) && c != '-' && c != '_') return false;
    digit = digit || is_digit(c);
    upper = upper || (c >= 'A' && c <= 'Z');
    small = small || (c >= 'a' && c <= 'z');
  }
  return text.size() >= kHashLength && (digit || (upper && small));
}

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

bool has_content_hash(std::string_view path) {
  auto stem = path.substr(path.rfind('/') + 1);
  // "x.js.map": the digest belongs to the name before both extensions
  for (auto extension = extension_of(stem); !extension.empty() && extension.size() < kHashLength;
       extension = extension_of(stem))
    stem.remove_suffix(extension.size() + 1);
  const auto mark = stem.find_last_of("-.");
  if (mark == std::string_view::npos) return false;
  if (looks_like_hash(stem.substr(mark + 1))) return true;
  // A digest in base64url may hold the separator itself: "index-D-_bx9Zk"
  if (stem.size() <= kHashLength || stem[stem.size() - kHashLength - 1] != '-') return false;
  return looks_like_hash(stem.substr(stem.size() - kHashLength));
}

std::string_view spa_cache_control(const SpaSettings& spa, std::string_view path) {
  if (path == spa.index) return "no-cache";
  if (below_hashed(spa, path) && has_content_hash(path))
    return "public, max-age=31536000, immutable";
  return {};
}

}  // namespace gatescope::files
