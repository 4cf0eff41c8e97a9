#include "certs/acme/base64url.h"

#include <algorithm>

#include "certs/encoding.h"

namespace gatescope::acme {

std::string base64url(std::string_view bytes) {
  std::string text = tls::base64_encode(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  text.erase(std::min(text.find('='), text.size()));
  return text;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  if (text.empty()) return std::string();
  if (text.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
  std::string usual(text);
  std::ranges::replace(usual, '-', '+');
  std::ranges::replace(usual, '_', '/');
  usual.append((4 - usual.size() % 4) % 4, '=');
  return tls::base64_decode(usual);
}

}  // namespace gatescope::acme
