#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gatescope::upstream {

/// The numbers that nginx's ip_hash draws for a client's address, one after the other: of an IPv4
/// address the first three octets count, so that a client whose address changes within its network
/// stays where it is; of others everything (unix sockets: nothing). A machine beside nginx with the
/// same servers sends the same clients to the same ones.
class AddressHash {
 public:
  explicit AddressHash(std::string_view address);
  std::uint64_t next();

 private:
  std::array<std::uint8_t, 16> bytes_{};
  std::size_t size_ = 3;
  std::uint64_t hash_ = 89;
};

/// The same of `hash key;`. Looks into `key`.
class KeyHash {
 public:
  explicit KeyHash(std::string_view key) : key_(key) {}
  std::uint64_t next();

 private:
  const std::string_view key_;
  unsigned drawn_ = 0;
  std::uint64_t hash_ = 0;
};

}  // namespace gatescope::upstream
