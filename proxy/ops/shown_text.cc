#include "proxy/ops/shown_text.h"

#include "proxy/base/text.h"

namespace gatescope::ops {

bool may_be_shown(const http::Request& request, http::ResponseWriter& writer) {
  if (request.is_get_or_head()) return true;
  writer.status(405);
  return false;
}

void show_text(http::ResponseWriter& writer, int status, std::string_view content_type,
               std::string text) {
  http::ResponseHead head;
  head.status = status;
  head.content_type = content_type;
  head.content_length = text.size();
  head.headers.add("Cache-Control", "no-store");
  head.conditional = false;
  head.caching_settled = true;
  writer.answer(std::move(head), SharedBytes(std::move(text)));
}

bool accepts(const http::Request& request, std::string_view type) {
  auto rest = request.head.headers.find("accept").value_or("");
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const auto item = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    const auto semicolon = item.find(';');
    if (!equals_ignoring_case(trim(item.substr(0, semicolon)), type)) continue;
    if (semicolon == std::string_view::npos) return true;
    const auto weight = item.find("q=0", semicolon);
    if (weight == std::string_view::npos) return true;
    return item.find_first_of("123456789", weight + 3) != std::string_view::npos;
  }
  return false;
}

}  // namespace gatescope::ops
