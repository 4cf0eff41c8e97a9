#include <ares.h>
#include <netinet/in.h>

#include <cstring>
#include <memory>
#include <optional>

#include "proxy/base/text.h"
#include "proxy/net/dns.h"

namespace gatescope::net {

namespace {

constexpr std::size_t kHead = 12;        // RFC 1035, 4.1.1
constexpr std::size_t kRecordHead = 10;  // behind the name: type, class, ttl, length

/// A place in a message; every step is checked against its end.
class Reader {
 public:
  explicit Reader(std::span<const unsigned char> message) : message_(message), at_(kHead) {}

  std::size_t left() const { return message_.size() - at_; }
  const unsigned char* here() const { return message_.data() + at_; }
  bool skip(std::size_t n) {
    if (n > left()) return false;
    at_ += n;
    return true;
  }
  std::uint16_t number(std::size_t offset) const {  // within left()
    return static_cast<std::uint16_t>(here()[offset] << 8 | here()[offset + 1]);
  }
  /// c-ares follows the pointers, with a bound.
  std::optional<std::string> name() {
    char* text = nullptr;
    long used = 0;
    if (left() == 0 || ares_expand_name(here(), message_.data(), static_cast<int>(message_.size()),
                                        &text, &used) != ARES_SUCCESS)
      return std::nullopt;
    const std::unique_ptr<char, void (*)(void*)> owner(text, ares_free_string);
    if (!skip(static_cast<std::size_t>(used))) return std::nullopt;
    std::string name = lower(text);
    if (name.ends_with('.')) name.pop_back();
    return name;
  }

 private:
  const std::span<const unsigned char> message_;
  std::size_t at_;
};

template <class Address>
Endpoint endpoint_of(int family, const unsigned char* bytes);

template <>
Endpoint endpoint_of<sockaddr_in>(int family, const unsigned char* bytes) {
  sockaddr_in address{};
  address.sin_family = static_cast<sa_family_t>(family);
  std::memcpy(&address.sin_addr, bytes, sizeof(address.sin_addr));
  return Endpoint::of_sockaddr(reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

template <>
Endpoint endpoint_of<sockaddr_in6>(int family, const unsigned char* bytes) {
  sockaddr_in6 address{};
  address.sin6_family = static_cast<sa_family_t>(family);
  std::memcpy(&address.sin6_addr, bytes, sizeof(address.sin6_addr));
  return Endpoint::of_sockaddr(reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

/// What stands behind the head of a record; false: not what its type says.
bool read_data(Reader in, std::size_t length, DnsRecord& record) {
  switch (record.type) {
    case DnsType::A:
      if (length != 4) return false;
      record.address = endpoint_of<sockaddr_in>(AF_INET, in.here());
      return true;
    case DnsType::Aaaa:
      if (length != 16) return false;
      record.address = endpoint_of<sockaddr_in6>(AF_INET6, in.here());
      return true;
    case DnsType::Srv:
      if (length < 7) return false;
      record.priority = in.number(0);
      record.weight = in.number(2);
      record.port = in.number(4);
      in.skip(6);
      break;
    case DnsType::Cname:
      break;
  }
  auto target = in.name();
  if (!target) return false;
  record.target = std::move(*target);
  return true;
}

bool is_known(std::uint16_t type) {
  for (const auto known : {DnsType::A, DnsType::Cname, DnsType::Aaaa, DnsType::Srv})
    if (type == static_cast<std::uint16_t>(known)) return true;
  return false;
}

}  // namespace

Result<DnsAnswer> read_dns_answer(std::span<const unsigned char> message) {
  const auto broken = [] {
    return make_error(ErrorKind::Protocol, Origin::Upstream, "malformed DNS response");
  };
  if (message.size() < kHead) return broken();
  const auto count = [&](std::size_t at) {
    return static_cast<unsigned>(message[at] << 8 | message[at + 1]);
  };
  Reader in(message);
  for (unsigned i = 0; i < count(4); ++i)
    if (!in.name() || !in.skip(4)) return broken();
  DnsAnswer answer;
  for (unsigned i = 0; i < count(6); ++i) {
    auto name = in.name();
    if (!name || in.left() < kRecordHead) return broken();
    const auto type = in.number(0), internet = in.number(2);
    const std::uint32_t ttl = static_cast<std::uint32_t>(in.number(4)) << 16 | in.number(6);
    const std::size_t length = in.number(8);
    in.skip(kRecordHead);
    if (in.left() < length) return broken();
    if (internet == 1 && is_known(type)) {
      // A ttl with its highest bit set counts as none (RFC 2181, 8).
      DnsRecord record{.name = std::move(*name),
                       .type = static_cast<DnsType>(type),
                       .ttl = ttl >> 31 ? 0 : ttl,
                       .address = {},
                       .target = {}};
      if (!read_data(in, length, record)) return broken();
      answer.push_back(std::move(record));
    }
    in.skip(length);
  }
  return answer;
}

}  // namespace gatescope::net
