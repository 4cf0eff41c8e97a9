#include "proxy/upstream/key_hash.h"

#include <arpa/inet.h>

#include <string>

#include "proxy/http/encoding.h"

namespace gatescope::upstream {

AddressHash::AddressHash(std::string_view address) {
  const std::string text(address);
  if (::inet_pton(AF_INET, text.c_str(), bytes_.data()) == 1) return;
  if (::inet_pton(AF_INET6, text.c_str(), bytes_.data()) == 1) {
    size_ = bytes_.size();
  } else {
    bytes_ = {};
  }
}

std::uint64_t AddressHash::next() {
  constexpr std::uint64_t kFactor = 113, kPrime = 6271;
  for (std::size_t i = 0; i < size_; ++i)
    hash_ = (hash_ * kFactor + bytes_[i]) % kPrime;
  return hash_;
}

std::uint64_t KeyHash::next() {
  std::string text = drawn_ == 0 ? std::string() : std::to_string(drawn_);
  ++drawn_;
  text += key_;
  hash_ += (http::checksum(text) >> 16) & 0x7fff;
  return hash_;
}

}  // namespace gatescope::upstream
