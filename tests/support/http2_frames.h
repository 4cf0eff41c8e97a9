#pragma once

// HTTP/2 frames as raw bytes, for tests that say what is on the wire.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatescope::test::h2 {

enum Type : std::uint8_t {
  kData,
  kHeaders,
  kPriority,
  kReset,
  kSettings,
  kPush,
  kPing,
  kGoaway,
  kWindow,
  kContinuation
};
enum Flag : std::uint8_t {
  kEndStream = 1,
  kAck = 1,
  kEndHeaders = 4,
  kPadded = 8,
  kHasPriority = 32
};

inline std::string number(std::uint32_t value, int bytes = 4) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i)
    text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

inline std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                         std::string_view payload = {}) {
  std::string text = number(static_cast<std::uint32_t>(payload.size()), 3);
  text += static_cast<char>(type);
  text += static_cast<char>(flags);
  text += number(stream);
  return text.append(payload);
}

using Fields = std::vector<std::pair<std::string, std::string>>;

/// HPACK without table and without Huffman codes: what is written is what is there.
inline std::string block(const Fields& fields) {
  const auto length = [](std::size_t n) {
    std::string text;
    if (n < 127) return text += static_cast<char>(n);
    text += static_cast<char>(127);
    for (n -= 127; n >= 128; n >>= 7)
      text += static_cast<char>(128 | (n & 127));
    return text += static_cast<char>(n);
  };
  std::string text;
  for (const auto& [name, value] : fields) {
    text += '\0';
    text += length(name.size()) + name + length(value.size()) + value;
  }
  return text;
}

inline const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
inline std::string settings(std::initializer_list<std::pair<int, std::uint32_t>> values = {}) {
  std::string payload;
  for (const auto& [id, value] : values)
    payload += number(static_cast<std::uint32_t>(id), 2) + number(value);
  return frame(kSettings, 0, 0, payload);
}
/// What every client begins with.
inline std::string hello() {
  return kPreface + settings() + frame(kSettings, kAck, 0);
}
inline std::string headers(std::uint32_t stream, const Fields& fields,
                           std::uint8_t flags = kEndHeaders | kEndStream) {
  return frame(kHeaders, flags, stream, block(fields));
}
inline Fields request(std::string path, std::string method = "GET", Fields more = {}) {
  Fields all{{":method", std::move(method)},
             {":scheme", "http"},
             {":authority", "a"},
             {":path", std::move(path)}};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}
inline std::string get(std::uint32_t stream, std::string path = "/x") {
  return headers(stream, request(std::move(path)));
}
inline std::string data(std::uint32_t stream, std::string_view bytes,
                        std::uint8_t flags = kEndStream) {
  return frame(kData, flags, stream, bytes);
}
inline std::string reset(std::uint32_t stream, std::uint32_t code = 8) {
  return frame(kReset, 0, stream, number(code));
}
inline std::string window(std::uint32_t stream, std::uint32_t bytes) {
  return frame(kWindow, 0, stream, number(bytes));
}
inline std::string ping(std::string_view payload = "12345678", std::uint8_t flags = 0) {
  return frame(kPing, flags, 0, payload);
}

}  // namespace gatescope::test::h2
