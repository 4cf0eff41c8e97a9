#include "api/oeis_conversation.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/base/text.h"
#include "proxy/http/message.h"

namespace gatescope::api {

namespace {

constexpr std::size_t kShownOfBody = 200;
constexpr std::size_t kShownOfHead = 4096;

}  // namespace

std::string conversation(std::string_view url, std::string_view agent,
                         const net::HttpsAnswer& answer) {
  const std::size_t host = origin_of(url).size();
  const std::size_t scheme = url.find("://");
  const auto authority = scheme < host ? url.substr(scheme + 3, host - scheme - 3) : url;
  const auto target = url.substr(std::min(host, url.size()));
  std::string out = fmt::format("< GET {}\n< Host: {}\n< User-Agent: {}\n< \n> {} {}\n",
                                target.empty() ? "/" : target, authority, agent, answer.status,
                                standard_reason(answer.status));
  for (const auto& [name, value] : answer.headers) {
    if (out.size() + name.size() + value.size() > kShownOfHead) {
      out += "> ...\n";
      break;
    }
    out += fmt::format("> {}: {}\n", name, value);
  }
  out += "> \n\n";
  out += std::string_view(answer.body).substr(0, kShownOfBody);
  if (answer.body.size() > kShownOfBody) out += "...";
  return out;
}

std::string_view header_of(const net::HttpsAnswer& answer, std::string_view name) {
  for (const auto& [key, value] : answer.headers)
    if (key == name) return value;
  return {};
}

std::string origin_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  return lower(url.substr(0, std::min(url.find_first_of("/?#", scheme + 3), url.size())));
}

std::string query_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~')
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string_view standard_reason(int status) {
  if (status == 503) return "Service Unavailable";
  if (status == 504) return "Gateway Timeout";
  return http::reason_of(status);
}

}  // namespace gatescope::api
