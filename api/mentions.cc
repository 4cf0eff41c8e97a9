#include "api/mentions.h"

#include <algorithm>

#include "proxy/base/text.h"

namespace gatescope::api {

std::vector<std::uint32_t> find_mentions(std::string_view text, SequenceId self) {
  std::vector<std::uint32_t> found;
  for (auto at = text.find('A'); at != std::string_view::npos; at = text.find('A', at)) {
    ++at;
    std::uint32_t number = 0;
    std::size_t digits = 0;
    for (; at < text.size() && is_digit(text[at]); ++at, ++digits)
      if (digits < 6) number = number * 10 + static_cast<std::uint32_t>(text[at] - '0');
    // Seven digits are a number that OEIS has not reached and an id cannot be.
    if (digits == 6 && number != self.number()) found.push_back(number);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace gatescope::api
