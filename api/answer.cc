#include "api/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/utf8.h"

namespace gatescope::api {

namespace {

void append_escape(std::string& out, char32_t unit) {
  fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(unit));
}

bool is_plain(char c) {
  return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

void append_code_point(std::string& out, char32_t code) {
  switch (code) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      break;
  }
  if (code < 0x10000) return append_escape(out, code);
  append_escape(out, 0xD800 + ((code - 0x10000) >> 10));
  append_escape(out, 0xDC00 + ((code - 0x10000) & 0x3FF));
}

/// FNV-1a, 64 bits: an ETag must notice changes, not attacks; the text is OEIS's, not a client's.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (const char c : text)
    h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h;
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto stop = std::find_if_not(text.begin(), text.end(), is_plain);
    const auto plain = static_cast<std::size_t>(stop - text.begin());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (!text.empty()) append_code_point(out, take_code_point(text));
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_json_text(out, text);
  out += '"';
}

std::shared_ptr<const EncodedSequence> EncodedSequence::encode(const Sequence& sequence) {
  std::shared_ptr<EncodedSequence> encoded(new EncodedSequence(sequence));
  const Terms& terms = sequence.terms;
  constexpr std::size_t kAroundTerm = 26;  // `"index":"",` with the longest index
  std::string out;
  out.reserve(200 + terms.bytes() + kAroundTerm * terms.size());
  out += R"({"id":")";
  out += sequence.id.text();
  out += R"(","name":)";
  append_json_string(out, sequence.name ? *sequence.name : placeholder_name(sequence.id));
  out += R"(,"values":{)";
  encoded->head_ = out.size();
  encoded->ends_.reserve(terms.size());
  for (std::size_t i = 0; i < terms.size(); ++i) {
    // Added as unsigned: an index at the end of 64 bits wraps instead of being undefined.
    const auto index = static_cast<std::int64_t>(static_cast<std::uint64_t>(sequence.shift) + i);
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof(digits), index).ptr;
    if (i > 0) out += ',';
    out += '"';
    out.append(digits, end);
    out += R"(":")";
    append_json_text(out, terms[i]);  // rows of the old service may hold anything
    out += '"';
    encoded->ends_.push_back(out.size());
  }
  out.shrink_to_fit();
  encoded->hash_ = fmt::format("{:016x}", hash_of(out));
  encoded->text_ = SharedBytes(std::move(out));
  return encoded;
}

SharedBytes EncodedSequence::body(Count count) const {
  const std::size_t n = count.of(ends_.size());
  return text_.slice(0, n == 0 ? head_ : ends_[n - 1]);
}

std::string EncodedSequence::etag(Count count) const {
  return fmt::format("\"{}-{}\"", hash_, count.of(ends_.size()));
}

std::size_t EncodedSequence::footprint() const {
  return sizeof(*this) + text_.size() + ends_.size() * sizeof(std::size_t);
}

}  // namespace gatescope::api
