#include "proxy/http/content_hash.h"

#include "proxy/base/text.h"

namespace gatescope::http {

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

/// Without the dot; "" when there is none.
std::string_view extension_in(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  return name.substr(dot + 1);
}

}  // namespace

bool has_content_hash(std::string_view path) {
  auto stem = path.substr(path.rfind('/') + 1);
  // "x.js.map": the digest belongs to the name before both extensions
  for (auto extension = extension_in(stem); !extension.empty() && extension.size() < kHashLength;
       extension = extension_in(stem))
    stem.remove_suffix(extension.size() + 1);
  const auto mark = stem.find_last_of("-.");
  if (mark == std::string_view::npos) return false;
  if (looks_like_hash(stem.substr(mark + 1))) return true;
  // A digest in base64url may hold the separator itself: "index-D-_bx9Zk"
  if (stem.size() <= kHashLength || stem[stem.size() - kHashLength - 1] != '-') return false;
  return looks_like_hash(stem.substr(stem.size() - kHashLength));
}

}  // namespace gatescope::http
