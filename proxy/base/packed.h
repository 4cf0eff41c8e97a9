#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace gatescope {

/// Numbers and byte strings, one behind the other, for a process of the same machine.
class Packer {
 public:
  void number(std::uint64_t value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    packed_.append(bytes, sizeof bytes);
  }
  void text(std::string_view bytes) {
    number(bytes.size());
    packed_ += bytes;
  }
  std::size_t size() const { return packed_.size(); }
  std::string take() && { return std::move(packed_); }

 private:
  std::string packed_;
};

/// Reads what a Packer wrote; nullopt from the first thing on that is not there whole. The text
/// outlives it.
class Unpacker {
 public:
  explicit Unpacker(std::string_view packed) : rest_(packed) {}
  std::optional<std::uint64_t> number() {
    std::uint64_t value = 0;
    if (rest_.size() < sizeof value) return end();
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  std::optional<std::string_view> text() {
    const auto size = number();
    if (!size || *size > rest_.size()) {
      end();
      return std::nullopt;
    }
    const auto bytes = rest_.substr(0, *size);
    rest_.remove_prefix(*size);
    return bytes;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::nullopt_t end() {
    rest_ = {};
    return std::nullopt;
  }
  std::string_view rest_;
};

}  // namespace gatescope
