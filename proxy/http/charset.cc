#include "proxy/http/charset.h"

#include <fmt/format.h>

#include <optional>

#include "proxy/base/text.h"

namespace gatescope::http {
namespace {

constexpr char kUnknown = '?';
constexpr std::size_t kLongestCharacter = 4;

std::optional<std::string> from_hex(std::string_view text) {
  if (text.empty() || text.size() > 2 * kLongestCharacter) return std::nullopt;
  std::string padded(text.size() % 2 != 0 ? "0" : "");
  padded += lower(text);
  std::string bytes;
  for (std::size_t i = 0; i < padded.size(); i += 2) {
    int value = 0;
    for (const char c : padded.substr(i, 2)) {
      const bool letter = c >= 'a' && c <= 'f';
      if (!letter && !is_digit(c)) return std::nullopt;
      value = value * 16 + (letter ? c - 'a' + 10 : c - '0');
    }
    bytes += static_cast<char>(value);
  }
  return bytes;
}

/// How long the sequence is that begins with this byte; 0: none does.
std::size_t sequence_length(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  if (first >= 0xF0 && first < 0xF5) return 4;
  return 0;
}

/// Of a valid sequence.
char32_t code_point(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence.front());
  if (sequence.size() == 1) return first;
  char32_t c = first & (0xFFu >> (sequence.size() + 1));
  for (const char next : sequence.substr(1))
    c = (c << 6) | (static_cast<unsigned char>(next) & 0x3Fu);
  return c;
}

class ByteRecoder final : public BodyFilter {
 public:
  explicit ByteRecoder(Recoding recoding) : recoding_(std::move(recoding)) {}
  Result<void> pass(SharedBytes bytes, ByteQueue& out) override {
    std::string text;
    text.reserve(bytes.size());
    for (const char c : bytes.text()) {
      const auto byte = static_cast<unsigned char>(c);
      if (recoding_.backwards) {
        text += static_cast<char>(recoding_.map->backward(byte));
      } else {
        text += recoding_.map->forward(byte);
      }
    }
    out.append(SharedBytes(std::move(text)));
    return {};
  }
  Result<void> finish(ByteQueue&) override { return {}; }

 private:
  const Recoding recoding_;
};

class Utf8Recoder final : public BodyFilter {
 public:
  explicit Utf8Recoder(Recoding recoding) : recoding_(std::move(recoding)) {}
  Result<void> pass(SharedBytes bytes, ByteQueue& out) override {
    std::string text;
    for (const char c : bytes.text()) {
      // A byte that cannot go on what is begun ends it, and begins anew.
      if (!begun_.empty() && (static_cast<unsigned char>(c) & 0xC0) != 0x80) give_up(text);
      begun_ += c;
      const auto length = sequence_length(static_cast<unsigned char>(begun_.front()));
      if (length == 0) {
        give_up(text);
      } else if (begun_.size() == length) {
        is_valid_utf8(begun_) ? add(text, code_point(begun_)) : give_up(text);
        begun_.clear();
      }
    }
    out.append(SharedBytes(std::move(text)));
    return {};
  }
  Result<void> finish(ByteQueue& out) override {
    if (!begun_.empty()) out.append_copy(std::string(1, kUnknown));
    return {};
  }

 private:
  void give_up(std::string& text) {
    text += kUnknown;
    begun_.clear();
  }
  void add(std::string& text, char32_t c) const {
    if (const auto byte = recoding_.map->from_code_point(c)) {
      text += static_cast<char>(byte);
    } else if (c < 0x80) {
      text += static_cast<char>(c);
    } else {
      text += fmt::format("&#{};", static_cast<std::uint32_t>(c));
    }
  }

  const Recoding recoding_;
  std::string begun_;  // a sequence of which more is to come: at most three bytes
};

}  // namespace

CharsetMap::CharsetMap(std::string source, std::string destination)
    : source_(std::move(source)),
      destination_(std::move(destination)),
      utf8_(equals_ignoring_case(destination_, "utf-8")) {
  for (std::size_t i = 0; i < 256; ++i) {
    const char c = i < 0x80 ? static_cast<char>(i) : kUnknown;
    forward_[i] = std::string(1, c);
    backward_[i] = static_cast<unsigned char>(c);
  }
}

Result<void> CharsetMap::add(std::string_view source, std::string_view destination) {
  const auto invalid = [](std::string_view value) {
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      fmt::format("invalid value \"{}\"", value));
  };
  const auto from = from_hex(source), to = from_hex(destination);
  if (!from || from->size() != 1) return invalid(source);
  if (!to || (!utf8_ && to->size() != 1)) return invalid(destination);
  const auto byte = static_cast<unsigned char>(from->front());
  forward_[byte] = *to;
  if (!utf8_) {
    backward_[static_cast<unsigned char>(to->front())] = byte;
    return {};
  }
  if (!is_valid_utf8(*to) || sequence_length(static_cast<unsigned char>(to->front())) != to->size())
    return invalid(destination);
  by_code_point_[code_point(*to)] = byte;
  return {};
}

unsigned char CharsetMap::from_code_point(char32_t c) const {
  const auto found = by_code_point_.find(c);
  return found == by_code_point_.end() ? 0 : found->second;
}

Recoding find_recoding(const std::vector<std::shared_ptr<const CharsetMap>>& maps,
                       std::string_view from, std::string_view to) {
  for (const auto& map : maps) {
    if (equals_ignoring_case(map->source(), from) && equals_ignoring_case(map->destination(), to))
      return {map, false};
    if (equals_ignoring_case(map->source(), to) && equals_ignoring_case(map->destination(), from))
      return {map, true};
  }
  return {};
}

std::unique_ptr<BodyFilter> make_recoder(Recoding recoding) {
  if (recoding.backwards && recoding.map->to_utf8())
    return std::make_unique<Utf8Recoder>(std::move(recoding));
  return std::make_unique<ByteRecoder>(std::move(recoding));
}

std::string without_charset(std::string_view content_type) {
  std::string kept;
  for (const auto part : split(content_type, ';')) {
    if (starts_with_ignoring_case(trim(part), "charset=")) continue;
    if (!kept.empty()) kept += ';';
    kept += part;
  }
  return kept;
}

std::string_view charset_of(std::string_view content_type) {
  auto rest = content_type;
  for (auto at = rest.find(';'); at != std::string_view::npos; at = rest.find(';')) {
    rest = trim(rest.substr(at + 1));
    if (!starts_with_ignoring_case(rest, "charset=")) continue;
    auto value = rest.substr(8);
    value = trim(value.substr(0, value.find(';')));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

}  // namespace gatescope::http
