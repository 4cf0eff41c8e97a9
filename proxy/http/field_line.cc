#include "proxy/http/field_line.h"

#include <cstddef>

#include "proxy/base/text.h"

namespace gatescope::http {
bool looks_like_framing(std::string_view name) {
  if (name.size() != 14 && name.size() != 17) return false;
  std::string plain(name);
  for (char& c : plain)
    if (c == '_') c = '-';
  return equals_ignoring_case(plain, "content-length") ||
         equals_ignoring_case(plain, "transfer-encoding");
}

FieldVerdict split_field_line(std::string_view line, bool underscores, FieldLine& field) {
  std::size_t i = 0;
  while (i < line.size() && is_name_char(line[i]))  // nearly always up to the colon
    ++i;
  bool valid = true, underscore = false;
  for (; i < line.size() && line[i] != ':'; ++i) {
    const char c = line[i];
    if (is_name_char(c)) continue;
    if (!is_target_char(c)) return FieldVerdict::Malformed;
    if (c == '_' && underscores) {
      underscore = true;
    } else {
      valid = false;
    }
  }
  if (i == 0 || i == line.size()) return FieldVerdict::Malformed;
  field.name = line.substr(0, i);
  if (!is_value(line.substr(i + 1))) return FieldVerdict::Malformed;
  field.value = trim(line.substr(i + 1));
  if (valid && underscore && looks_like_framing(field.name)) return FieldVerdict::Malformed;
  return valid ? FieldVerdict::Valid : FieldVerdict::InvalidName;
}

FieldVerdict judge_field(std::string_view name, std::string_view value, bool underscores) {
  bool valid = true, underscore = false;
  for (const char c : name) {
    if (is_name_char(c) && (c < 'A' || c > 'Z')) continue;
    if (!is_target_char(c) || c == ':' || is_name_char(c)) return FieldVerdict::Malformed;
    if (c == '_' && underscores) {
      underscore = true;
    } else {
      valid = false;
    }
  }
  if (name.empty()) return FieldVerdict::Malformed;
  if (!is_value(value)) return FieldVerdict::Malformed;
  if (valid && underscore && looks_like_framing(name)) return FieldVerdict::Malformed;
  return valid ? FieldVerdict::Valid : FieldVerdict::InvalidName;
}

bool may_trail(std::string_view name) {
  for (const std::string_view forbidden :
       {"Content-Length", "Transfer-Encoding", "Host", "Connection", "Trailer", "Content-Encoding",
        "Content-Type", "Content-Range", "Authorization", "Cookie", "Expect", "Upgrade", "TE",
        "Keep-Alive", "Proxy-Connection"})
    if (equals_ignoring_case(name, forbidden)) return false;
  return true;
}

}  // namespace gatescope::http
