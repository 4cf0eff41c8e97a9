#include "proxy/http/real_ip.h"

#include <fmt/format.h>

#include "conf/setters.h"
#include "proxy/base/text.h"
#include "proxy/http/exchange.h"
#include "proxy/http/geo.h"

namespace gatescope::http {

namespace {

using conf::Directive;
using conf::Loader;
using conf::Scope;

constexpr std::string_view kProxyProtocol = "proxy_protocol";

class RealIpStep final : public RequestStep {
 public:
  explicit RealIpStep(const RealIpSettings& settings) : settings_(settings) {}

  StepResult run(Exchange& x) const override {
    if (&x.connection() != &x.peer()) return StepResult::Next;  // it is done
    const auto& trusted = settings_.trusted.get();
    const auto peer = IpAddress::of(x.peer().client);
    if (!peer && !trusted.unix_sockets) return StepResult::Next;
    std::vector<std::string_view> values;
    std::uint16_t port = 0;
    std::string proxied;
    const bool before = settings_.header.get() == kProxyProtocol;
    if (before && x.peer().proxied) {
      proxied = x.peer().proxied->client.address();
      port = x.peer().proxied->client.port();
      values.push_back(proxied);
    }
    for (const auto& field : x.request().head.headers)
      if (!before && equals_ignoring_case(field.name, settings_.header.get()))
        values.push_back(field.value);
    const bool list = equals_ignoring_case(settings_.header.get(), "X-Forwarded-For");
    if (!list && values.size() > 1) values.resize(1);
    if (values.empty()) return StepResult::Next;
    auto networks = trusted.networks;
    if (!peer) networks.push_back({*IpAddress::parse("255.255.255.255"), 32});  // stands for it
    const auto start = peer ? *peer : *IpAddress::parse("255.255.255.255");
    const std::uint16_t told = port;  // with the address, not in it
    const auto client = address_behind(start, values, networks, settings_.recursive.get(), &port);
    if (told != 0) port = told;
    if (client == start) return StepResult::Next;
    if (auto endpoint = net::Endpoint::ip(client.to_string(), port)) x.set_client(*endpoint);
    return StepResult::Next;
  }

 private:
  const RealIpSettings& settings_;  // of the location's scope, which lives as long
};

Result<void> apply_from(Loader& loader, Scope& scope, const Directive& d) {
  auto& trusted = scope.own<RealIpSettings>().trusted.edit();
  if (d.arg(0) == "unix:") {
    trusted.unix_sockets = true;
    return {};
  }
  if (auto network = IpNetwork::parse(d.arg(0))) {
    if (network->had_host_bits)
      loader.warn(d.place, fmt::format("low address bits of {} are meaningless", d.arg(0)));
    trusted.networks.push_back(*network);
    return {};
  }
  auto found = d.arg(0).find('/') == std::string_view::npos
                   ? net::resolve_now(std::string(d.arg(0)), 0)
                   : Result<std::vector<net::Endpoint>>(std::vector<net::Endpoint>());
  if (!found || found->empty())
    return Loader::fail(d, fmt::format("host not found in set_real_ip_from \"{}\"; an address, a "
                                       "network, `unix:` or a name is needed",
                                       d.arg(0)));
  for (const auto& endpoint : *found)
    if (const auto address = IpAddress::of(endpoint))
      trusted.networks.push_back({*address, address->bits()});
  return {};
}

Result<void> apply_header(Loader& loader, Scope& scope, const Directive& d) {
  return loader.set_once(scope.own<RealIpSettings>().header, std::string(d.arg(0)), d);
}

const conf::DirectiveSpec kRealIp[] = {
    {.name = "set_real_ip_from",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "set_real_ip_from address | network | name | unix:;",
     .doc = "Proxies that are believed when they say who the client is.",
     .apply = apply_from},
    {.name = "real_ip_header",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "real_ip_header field | proxy_protocol;",
     .fallback = "X-Real-IP",
     .doc =
         "The field that says it; of X-Forwarded-For the last address. proxy_protocol: what came "
         "before the request (\"listen ... proxy_protocol\").",
     .apply = apply_header},
    {.name = "real_ip_recursive",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "real_ip_recursive on | off;",
     .fallback = "off",
     .doc = "Takes the last address that is not itself such a proxy.",
     .apply = conf::set_flag<&RealIpSettings::recursive>},
};

}  // namespace

void RealIpSettings::inherit(const Settings& outer_settings) {
  const auto& outer = as<RealIpSettings>(outer_settings);
  trusted.inherit(outer.trusted);
  header.inherit(outer.header);
  recursive.inherit(outer.recursive);
}

void add_real_ip_directives(conf::Schema& schema) {
  schema.add(kRealIp);
  schema.add_settings<RealIpSettings>();
}

std::unique_ptr<RequestStep> make_real_ip_step(const Scope& scope) {
  const auto& settings = scope.get<RealIpSettings>();
  if (settings.trusted->empty()) return nullptr;
  return std::make_unique<RealIpStep>(settings);
}

}  // namespace gatescope::http
