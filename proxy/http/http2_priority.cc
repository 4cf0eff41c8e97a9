#include "proxy/http/http2_priority.h"

#include <algorithm>

#include "proxy/base/text.h"

namespace gatescope::http {

std::int32_t weight_of_priority(std::string_view field) {
  constexpr std::int32_t kWeights[] = {256, 128, 64, 16, 8, 4, 2, 1};
  std::int32_t weight = kWeights[3];
  while (!field.empty()) {
    const auto end = std::min(field.find(','), field.size());
    const auto member = trim(field.substr(0, end));
    field.remove_prefix(std::min(end + 1, field.size()));
    // The last one counts (RFC 8941 3.2).
    if (member.size() >= 3 && member.starts_with("u=") && member[2] >= '0' && member[2] <= '7' &&
        (member.size() == 3 || member[3] == ';'))
      weight = kWeights[member[2] - '0'];
  }
  return weight;
}

}  // namespace gatescope::http
