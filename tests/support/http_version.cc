#include "tests/support/http_version.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace gatescope::test {

namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

std::string_view without_blanks(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

/// Up to the line's end, which is taken off too.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace

bool speaks_http2() {
  const char* version = std::getenv("GATESCOPE_TEST_HTTP");
  return version != nullptr && std::string_view(version) == "2";
}

Http2Peer::Fields http2_fields(std::string_view head, std::string_view scheme) {
  const auto line = take_line(head);
  const auto method_end = line.find(' ');
  const auto target = without_blanks(line.substr(std::min(line.size(), method_end + 1)));
  Http2Peer::Fields fields{{":method", std::string(line.substr(0, method_end))},
                           {":scheme", std::string(scheme)},
                           {":path", std::string(target.substr(0, target.find(' ')))}};
  Http2Peer::Fields others;
  while (!head.empty()) {
    const auto field = take_line(head);
    const auto colon = field.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = lower_case(field.substr(0, colon));
    const auto value = std::string(without_blanks(field.substr(colon + 1)));
    if (name == "host") {
      fields.emplace_back(":authority", value);
    } else if (name != "connection" && name != "transfer-encoding") {
      others.emplace_back(name, value);
    }
  }
  fields.insert(fields.end(), others.begin(), others.end());
  return fields;
}

}  // namespace gatescope::test
