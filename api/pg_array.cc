#include "api/pg_array.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "proxy/base/text.h"

namespace gatescope::api {

namespace {

/// Takes a quoted element off, its first quote gone already. False: no end.
bool take_quoted(std::string_view& text, std::string& element) {
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '"') return true;
    if (c == '\\') {
      if (text.empty()) return false;
      element += text.front();
      text.remove_prefix(1);
    } else {
      element += c;
    }
  }
  return false;
}

}  // namespace

std::optional<Terms> parse_pg_array(std::string_view text) {
  if (text.starts_with('[')) {  // [0:2]={...}: other bounds than 1
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    text.remove_prefix(equals + 1);
  }
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  Terms terms;
  if (text.empty()) return terms;
  terms.reserve(static_cast<std::size_t>(std::count(text.begin(), text.end(), ',')) + 1,
                text.size());
  std::string quoted;
  for (;;) {
    if (text.starts_with('"')) {
      text.remove_prefix(1);
      quoted.clear();
      if (!take_quoted(text, quoted)) return std::nullopt;
      terms.add(quoted);
    } else {
      const auto plain = text.substr(0, text.find_first_of(",{}\""));
      if (plain.empty() || equals_ignoring_case(plain, "NULL")) return std::nullopt;
      terms.add(plain);
      text.remove_prefix(plain.size());
    }
    if (text.empty()) return terms;
    if (text.front() != ',') return std::nullopt;
    text.remove_prefix(1);
  }
}

std::string format_pg_array(const Terms& terms) {
  std::string out;
  out.reserve(terms.bytes() + 3 * terms.size() + 2);
  out += '{';
  for (std::size_t i = 0; i < terms.size(); ++i) {
    if (i > 0) out += ',';
    out += '"';
    for (const char c : terms[i]) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  out += '}';
  return out;
}

std::vector<std::uint32_t> parse_pg_numbers(std::string_view text) {
  std::vector<std::uint32_t> numbers;
  if (text.size() <= 2) return numbers;
  text = text.substr(1, text.size() - 2);
  numbers.reserve(static_cast<std::size_t>(std::count(text.begin(), text.end(), ',')) + 1);
  for (const char *at = text.data(), *end = at + text.size(); at < end; ++at) {
    std::uint32_t number = 0;
    const auto [after, failed] = std::from_chars(at, end, number);
    if (failed == std::errc()) numbers.push_back(number);
    at = std::find(after, end, ',');
  }
  return numbers;
}

std::string format_pg_numbers(const std::vector<std::uint32_t>& numbers) {
  std::string out = "{";
  for (const auto number : numbers)
    fmt::format_to(std::back_inserter(out), "{}{}", out.size() > 1 ? "," : "", number);
  return out + "}";
}

}  // namespace gatescope::api
