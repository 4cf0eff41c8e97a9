#include "api/pg_array.h"

#include <algorithm>

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

}  // namespace gatescope::api
