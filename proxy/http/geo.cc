#include "proxy/http/geo.h"

#include <fmt/format.h>

#include "proxy/http/exchange.h"
#include "proxy/http/variables.h"

namespace gatescope::http {

namespace {

/// What a geo block says.
struct Geo {
  std::optional<conf::Template> address;  // nothing: the client's
  bool ranges = false, proxy_recursive = false, cached = true;
  std::vector<IpNetwork> proxies;
  GeoNetworks by_network;
  GeoRanges by_range;
  std::string fallback;  // ranges: what lies in none
};

// nginx's INADDR_NONE: stands for a text that is no address, and for unix sockets
constexpr std::uint32_t kNoAddress = 0xffffffff;

class GeoVariable final : public MadeVariable {
 public:
  explicit GeoVariable(Geo geo) : geo_(std::move(geo)) {}

  std::optional<std::string_view> value(Exchange& x) const override {
    const auto address = address_of(x);
    if (geo_.ranges) {
      const auto* found = geo_.by_range.find(address.v6 ? kNoAddress : address.v4_number());
      return found ? *found : geo_.fallback;
    }
    const auto* found = geo_.by_network.find(address);
    return found ? std::string_view(*found) : std::string_view("");
  }

 private:
  IpAddress address_of(Exchange& x) const {
    const auto known = geo_.address ? IpAddress::parse(geo_.address->evaluate(x, x.arena()))
                                    : IpAddress::of(x.connection().client);
    const auto address = known.value_or(IpAddress::v4(kNoAddress));
    if (geo_.proxies.empty()) return address;
    std::vector<std::string_view> forwarded;
    for (const auto& field : x.request().head.headers)
      if (equals_ignoring_case(field.name, "x-forwarded-for")) forwarded.push_back(field.value);
    return address_behind(address, forwarded, geo_.proxies, geo_.proxy_recursive);
  }

  const Geo geo_;
};

/// Reads the lines of one block.
class GeoReader {
 public:
  explicit GeoReader(conf::Loader& loader) : loader_(loader) {}
  Geo geo;

  Result<void> read(const conf::Directive& line) {
    const auto& name = line.name;
    if (line.has_block) return bad(line, "a geo holds lines of a network and a value, no blocks");
    if (line.count() == 0) {
      if (name == "volatile") {
        geo.cached = false;
      } else if (name == "proxy_recursive") {
        geo.proxy_recursive = true;
      } else if (name == "ranges") {
        if (any_)
          return bad(line,
                     "the \"ranges\" directive must be the first directive inside "
                     "\"geo\" block");
        geo.ranges = true;
      } else {
        return bad(line, wrong_number(name));
      }
      return {};
    }
    if (line.count() != 1) return bad(line, wrong_number(name));
    const auto value = line.arg(0);
    if (name == "proxy") {
      auto network = network_of(line, value);
      if (!network) return network.error();
      geo.proxies.push_back(*network);
      return {};
    }
    any_ = true;
    if (geo.ranges) return read_range(line, name, value);
    if (name == "default") {
      for (const auto* everything : {"0.0.0.0/0", "::/0"})
        geo.by_network.add(*IpNetwork::parse(everything), std::string(value));
      return {};
    }
    const bool removes = name == "delete";
    auto network = network_of(line, removes ? value : std::string_view(name));
    if (!network) return network.error();
    if (removes) {
      if (!geo.by_network.remove(*network))
        loader_.warn(line.place, fmt::format("no network \"{}\" to delete", value));
    } else if (const auto old = geo.by_network.add(*network, std::string(value))) {
      loader_.warn(line.place, fmt::format("duplicate network \"{}\", value: \"{}\", old value: "
                                           "\"{}\"",
                                           name, value, *old));
    }
    return {};
  }

 private:
  static Error bad(const conf::Directive& line, std::string_view what) {
    return conf::Loader::fail_at(line.place, what);
  }
  static std::string wrong_number(std::string_view name) {
    return fmt::format("invalid number of the geo parameters: \"{}\" needs one value", name);
  }

  Result<IpNetwork> network_of(const conf::Directive& line, std::string_view text) {
    auto network = IpNetwork::parse(text);
    if (!network) return bad(line, network.error().detail);
    if (network->had_host_bits)
      loader_.warn(line.place, fmt::format("low address bits of {} are meaningless", text));
    return network;
  }

  Result<void> read_range(const conf::Directive& line, std::string_view name,
                          std::string_view value) {
    if (name == "default") {
      geo.fallback = value;
      return {};
    }
    const auto text = name == "delete" ? value : name;
    const auto range = parse_range(text);
    if (!range)
      return bad(line, fmt::format("invalid range \"{}\"; two IPv4 addresses are needed, as "
                                   "192.0.2.0-192.0.2.255",
                                   text));
    if (name == "delete") {
      if (!geo.by_range.remove(range->first, range->second))
        loader_.warn(line.place, fmt::format("no address range \"{}\" to delete", text));
      return {};
    }
    switch (geo.by_range.add(range->first, range->second, std::string(value))) {
      case GeoRanges::Added::New:
        break;
      case GeoRanges::Added::Replaced:
        loader_.warn(line.place, fmt::format("duplicate range \"{}\", value: \"{}\"", text, value));
        break;
      case GeoRanges::Added::Overlaps:
        return bad(line,
                   fmt::format("range \"{}\" overlaps one that is written before; a range may "
                               "only lie inside another",
                               text));
    }
    return {};
  }

  conf::Loader& loader_;
  bool any_ = false;
};

Result<void> apply_geo(conf::Loader& loader, conf::Scope&, const conf::Directive& d) {
  auto& variables = loader.service<VariableTable>();
  const auto name = d.arg(d.count() - 1);
  GeoReader reader(loader);
  for (std::size_t i = 0; i < d.count(); ++i)
    if (!d.arg(i).starts_with('$') || d.arg(i).size() < 2)
      return conf::Loader::fail(
          d,
          fmt::format("has an invalid variable name \"{}\"; it must begin with \"$\"", d.arg(i)));
  if (d.count() == 2) {
    auto address = conf::Template::compile(d.arg(0), variables);
    if (!address) return conf::Loader::fail(d, address.error().detail);
    reader.geo.address = std::move(*address);
  }
  for (const auto& line : d.block)
    if (auto read = reader.read(line); !read) return read;
  const bool cached = reader.geo.cached;
  auto id = variables.define(name.substr(1), std::make_unique<GeoVariable>(std::move(reader.geo)),
                             cached);
  return id ? Result<void>() : conf::Loader::fail(d, id.error().detail);
}

const conf::DirectiveSpec kGeo[] = {
    {.name = "geo",
     .contexts = conf::only(conf::Context::Http),
     .arity = {1, 2, true},
     .syntax = "geo [$address] $variable { [ranges;] [default value;] [delete network;] "
               "[proxy network;] [proxy_recursive;] [volatile;] network value; ... }",
     .doc = "Makes a variable whose value is looked up by the client's address, or the one that "
            "$address holds: the longest network counts; with `ranges` (of IPv4) the innermost. "
            "Behind a `proxy` the address in X-Forwarded-For is taken. Found once per request "
            "unless `volatile`.",
     .apply = apply_geo,
     .note = "Values hold no variables, as in nginx. A binary range base is not read."},
};

}  // namespace

std::span<const conf::DirectiveSpec> geo_directives() {
  return kGeo;
}

}  // namespace gatescope::http
