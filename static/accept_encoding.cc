#include "static/accept_encoding.h"

#include "proxy/base/text.h"

namespace gatescope::files {
namespace {

/// The weight of one list element: 0 only as "q=0", "q=0.0" and so on.
bool weight_is_zero(std::string_view parameters) {
  for (const auto part : split(parameters, ';')) {
    auto parameter = trim(part);
    if (!starts_with_ignoring_case(parameter, "q=")) continue;
    return parameter.substr(2).find_first_not_of("0.") == std::string_view::npos;
  }
  return false;
}

}  // namespace

bool accepts_gzip(const http::Request& request) {
  if (request.head.version == http::Version::Http10 || request.head.headers.has("via"))
    return false;
  bool any = false;
  for (const auto& field : request.head.headers) {
    if (!equals_ignoring_case(field.name, "accept-encoding")) continue;
    for (const auto part : split(field.value, ',')) {
      const auto coding = trim(part.substr(0, part.find(';')));
      const auto parameters = part.size() > coding.size() ? part : std::string_view();
      const bool wanted = !weight_is_zero(parameters);
      if (equals_ignoring_case(coding, "gzip") || equals_ignoring_case(coding, "x-gzip"))
        return wanted;
      if (coding == "*") any = wanted;
    }
  }
  return any;
}

}  // namespace gatescope::files
