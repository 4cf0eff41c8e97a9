// What geo looks up in, without the directive.

#include "proxy/base/text.h"
#include "proxy/http/geo.h"

namespace gatescope::http {

std::optional<std::string> GeoNetworks::add(const IpNetwork& network, std::string value) {
  auto& one = (network.base.v6 ? v6_ : v4_)[network.length];
  auto [it, fresh] = one.try_emplace(network.base, value);
  if (fresh) return std::nullopt;
  return std::exchange(it->second, std::move(value));
}

bool GeoNetworks::remove(const IpNetwork& network) {
  auto& lengths = network.base.v6 ? v6_ : v4_;
  const auto it = lengths.find(network.length);
  if (it == lengths.end() || it->second.erase(network.base) == 0) return false;
  if (it->second.empty()) lengths.erase(it);
  return true;
}

const std::string* GeoNetworks::find(const IpAddress& address) const {
  for (const auto& [length, networks] : address.v6 ? v6_ : v4_)
    if (const auto it = networks.find(address.masked(length)); it != networks.end())
      return &it->second;
  return nullptr;
}

GeoRanges::Added GeoRanges::add(std::uint32_t first, std::uint32_t last, std::string value) {
  auto after = by_first_.upper_bound(first);
  const bool meets_next = after != by_first_.end() && after->first <= last;
  if (after == by_first_.begin()) {
    if (meets_next) return Added::Overlaps;
    by_first_[first] = {last, std::move(value)};
    return Added::New;
  }
  const auto around = std::prev(after);
  if (around->second.last < first) {  // ends before
    if (meets_next) return Added::Overlaps;
    by_first_[first] = {last, std::move(value)};
    return Added::New;
  }
  if (around->second.last < last) return Added::Overlaps;
  if (around->first == first && around->second.last == last) {
    around->second.value = std::move(value);
    return Added::Replaced;
  }
  const Range outer = around->second;
  const auto outer_first = around->first;
  by_first_.erase(around);
  if (outer_first < first) by_first_[outer_first] = {first - 1, outer.value};
  if (last < outer.last) by_first_[last + 1] = {outer.last, outer.value};
  by_first_[first] = {last, std::move(value)};
  return Added::New;
}

bool GeoRanges::remove(std::uint32_t first, std::uint32_t last) {
  const auto it = by_first_.find(first);
  if (it == by_first_.end() || it->second.last != last) return false;
  by_first_.erase(it);
  return true;
}

const std::string* GeoRanges::find(std::uint32_t address) const {
  const auto after = by_first_.upper_bound(address);
  if (after == by_first_.begin()) return nullptr;
  const auto& range = std::prev(after)->second;
  return address <= range.last ? &range.value : nullptr;
}

std::optional<std::pair<std::uint32_t, std::uint32_t>> parse_range(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = IpAddress::parse(text.substr(0, dash));
  const auto last = IpAddress::parse(text.substr(dash + 1));
  if (!first || !last || first->v6 || last->v6 || first->v4_number() > last->v4_number())
    return std::nullopt;
  return std::pair(first->v4_number(), last->v4_number());
}

namespace {

/// "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80"
std::optional<IpAddress> with_port(std::string_view text, std::uint16_t& port) {
  port = 0;
  if (const auto alone = IpAddress::parse(text)) return alone;
  const auto colon = text.rfind(':');
  std::optional<std::uint64_t> number = 0;
  if (colon != std::string_view::npos && !text.ends_with(']')) {
    number = parse_unsigned(text.substr(colon + 1));
    text = text.substr(0, colon);
  }
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  const auto address = IpAddress::parse(text);
  if (!address || !number || *number > 65535) return std::nullopt;
  port = static_cast<std::uint16_t>(*number);
  return address;
}

}  // namespace

IpAddress address_behind(IpAddress address, const std::vector<std::string_view>& forwarded,
                         const std::vector<IpNetwork>& trusted, bool recursive,
                         std::uint16_t* port) {
  const auto is_trusted = [&](const IpAddress& a) {
    for (const auto& network : trusted)
      if (network.contains(a)) return true;
    return false;
  };
  for (auto field = forwarded.rbegin(); field != forwarded.rend(); ++field) {
    auto rest = *field;
    while (!rest.empty()) {
      const auto comma = rest.rfind(',');
      const auto word = trim(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(0, comma);
      if (word.empty()) continue;
      if (!is_trusted(address)) return address;
      std::uint16_t said = 0;
      const auto next = with_port(word, said);
      if (!next) return address;
      address = *next;
      if (port) *port = said;
      if (!recursive) return address;
    }
  }
  return address;
}

}  // namespace gatescope::http
