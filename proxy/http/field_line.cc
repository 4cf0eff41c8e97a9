#include "proxy/http/field_line.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "proxy/base/text.h"

namespace gatescope::http {
namespace {

constexpr std::uint8_t kToken = 1, kName = 2, kTarget = 4, kValue = 8;

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const char c = static_cast<char>(i);
    const bool alnum = is_alpha(c) || is_digit(c);
    std::uint8_t bits = 0;
    if (alnum || (c != 0 && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos))
      bits |= kToken;
    if (alnum || c == '-') bits |= kName;
    if (i > 0x20 && i != 0x7f) bits |= kTarget;
    if ((i >= 0x20 && i != 0x7f) || c == '\t') bits |= kValue;
    classes[i] = bits;
  }
  return classes;
}
constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

bool is(char c, std::uint8_t bits) {
  return (kClasses[static_cast<unsigned char>(c)] & bits) != 0;
}

}  // namespace

bool looks_like_framing(std::string_view name) {
  if (name.size() != 14 && name.size() != 17) return false;
  std::string plain(name);
  for (char& c : plain)
    if (c == '_') c = '-';
  return equals_ignoring_case(plain, "content-length") ||
         equals_ignoring_case(plain, "transfer-encoding");
}

bool is_token_char(char c) {
  return is(c, kToken);
}
bool is_target_char(char c) {
  return is(c, kTarget);
}
bool is_value_char(char c) {
  return is(c, kValue);
}

FieldVerdict split_field_line(std::string_view line, bool underscores, FieldLine& field) {
  std::size_t i = 0;
  bool valid = true, underscore = false;
  for (; i < line.size() && line[i] != ':'; ++i) {
    const char c = line[i];
    if (is(c, kName)) continue;
    if (!is(c, kTarget)) return FieldVerdict::Malformed;
    if (c == '_' && underscores) {
      underscore = true;
    } else {
      valid = false;
    }
  }
  if (i == 0 || i == line.size()) return FieldVerdict::Malformed;
  field.name = line.substr(0, i);
  for (const char c : line.substr(i + 1))
    if (!is(c, kValue)) return FieldVerdict::Malformed;
  field.value = trim(line.substr(i + 1));
  if (valid && underscore && looks_like_framing(field.name)) return FieldVerdict::Malformed;
  return valid ? FieldVerdict::Valid : FieldVerdict::InvalidName;
}

FieldVerdict judge_field(std::string_view name, std::string_view value, bool underscores) {
  bool valid = true, underscore = false;
  for (const char c : name) {
    if (is(c, kName) && (c < 'A' || c > 'Z')) continue;
    if (!is(c, kTarget) || c == ':' || is(c, kName)) return FieldVerdict::Malformed;
    if (c == '_' && underscores) {
      underscore = true;
    } else {
      valid = false;
    }
  }
  if (name.empty()) return FieldVerdict::Malformed;
  for (const char c : value)
    if (!is(c, kValue)) return FieldVerdict::Malformed;
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
