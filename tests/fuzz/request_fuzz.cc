// HeadScanner: any bytes, whole and cut at a place that the input chooses, must give the same
// verdict, and what is let through must hold to the framing rule.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/http/head_scanner.h"

using namespace gatescope;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_framing(const http::RequestHead& head, const http::HeadScanner& scanner) {
  if (head.refused) return;
  require(!head.method.empty() && !head.target.empty());
  require(head.target.find_first_of(" \t\r\n") == std::string_view::npos);
  require(!(head.content_length && scanner.chunked()));
  require(head.headers.count("host") <= 1);
  require(head.headers.count("content-length") <= 1 &&
          head.headers.count("transfer-encoding") <= 1);
  for (const auto& field : head.headers) {
    require(!field.name.empty());
    require(field.name.find_first_of(" \t\r\n:") == std::string_view::npos);
    require(field.value.find_first_of("\r\n") == std::string_view::npos);
    require(field.value.find('\0') == std::string_view::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  http::HeadRules rules;
  rules.lenient_line_endings = (data[0] & 1) != 0;
  rules.ignore_invalid_headers = (data[0] & 2) != 0;
  rules.underscores_in_headers = (data[0] & 4) != 0;
  const std::string_view input(reinterpret_cast<const char*>(data + 2), size - 2);
  const std::size_t cut = input.empty() ? 0 : data[1] % input.size();
  NullLog log;
  using Verdict = http::HeadScanner::Verdict;

  http::HeadScanner whole(rules, log);
  const auto verdict = whole.scan(input);
  http::HeadScanner pieces(rules, log);
  auto second = pieces.scan(input.substr(0, cut));
  if (second == Verdict::More) second = pieces.scan(input);
  require(verdict == second);
  if (verdict == Verdict::More) return 0;
  Arena arena;
  check_framing(whole.take(input, arena), whole);
  if (verdict == Verdict::Complete)
    require(whole.size() <= input.size() && whole.size() == pieces.size());
  return 0;
}
