#pragma once

// Recoding between charsets (nginx's charset module): tables of bytes, and UTF-8.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/http/steps.h"

namespace gatescope::http {

/// One `charset_map source destination { 80 E282AC; ... }`. What it does not name: ASCII stays, the
/// rest becomes a question mark. Immutable once filled.
class CharsetMap {
 public:
  CharsetMap(std::string source, std::string destination);
  /// Both in hexadecimal; more than one byte only towards UTF-8.
  Result<void> add(std::string_view source, std::string_view destination);

  const std::string& source() const { return source_; }
  const std::string& destination() const { return destination_; }
  bool to_utf8() const { return utf8_; }
  /// What a byte becomes: of `destination`, or of `source` when taken backwards.
  std::string_view forward(unsigned char byte) const { return forward_[byte]; }
  unsigned char backward(unsigned char byte) const { return backward_[byte]; }
  /// From UTF-8: 0 when the source has no such character.
  unsigned char from_code_point(char32_t c) const;

 private:
  const std::string source_, destination_;
  const bool utf8_;
  std::array<std::string, 256> forward_;
  std::array<unsigned char, 256> backward_{};
  std::unordered_map<char32_t, unsigned char> by_code_point_;
};

/// A map in one of its directions.
struct Recoding {
  std::shared_ptr<const CharsetMap> map;  // shared: by the levels that inherit it
  bool backwards = false;
  explicit operator bool() const { return map != nullptr; }
  /// The body keeps its length.
  bool keeps_length() const { return !map->to_utf8(); }
};
Recoding find_recoding(const std::vector<std::shared_ptr<const CharsetMap>>& maps,
                       std::string_view from, std::string_view to);

/// From UTF-8 a character that the other charset lacks becomes "&#1234;", as in nginx; sequences
/// may be split between pieces.
std::unique_ptr<BodyFilter> make_recoder(Recoding recoding);

/// The charset parameter of "text/html; charset=utf-8"; empty: none.
std::string_view charset_of(std::string_view content_type);
/// The type with all other parameters: they are the answer's own.
std::string without_charset(std::string_view content_type);

}  // namespace gatescope::http
