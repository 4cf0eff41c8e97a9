// limit_req and limit_conn as they are written.

#include <fmt/format.h>

#include "conf/setters.h"
#include "proxy/base/text.h"
#include "proxy/http/core_settings.h"
#include "proxy/http/limits.h"
#include "proxy/http/variables.h"

namespace gatescope::http {

namespace {

using conf::Context;
using conf::Directive;
using conf::Loader;
using conf::Scope;

constexpr std::size_t kSmallestZone = 8 * 4096;  // nginx's, on this page size

/// "zone=name:size" and "rate=10r/s" behind the key.
Result<LimitZoneSpec> zone_of(Loader& loader, const Directive& d, bool with_rate) {
  LimitZoneSpec spec;
  auto key = conf::Template::compile(d.arg(0), loader.service<VariableTable>());
  if (!key) return Loader::fail(d, key.error().detail);
  spec.key = std::move(*key);
  for (std::size_t i = 1; i < d.count(); ++i) {
    const auto word = d.arg(i);
    if (word.starts_with("zone=")) {
      const auto colon = word.find(':');
      const auto size =
          colon == std::string_view::npos ? std::nullopt : parse_size(word.substr(colon + 1));
      if (!size || colon == 5)
        return Loader::fail(
            d, fmt::format("has an invalid zone \"{}\"; name and size are needed, as zone=one:1m",
                           word));
      spec.name = word.substr(5, colon - 5);
      spec.bytes = *size;
      if (spec.bytes < kSmallestZone)
        return Loader::fail(d,
                            fmt::format("has a zone \"{}\" that is too small; at least 32k", word));
    } else if (with_rate && word.starts_with("rate=")) {
      const auto unit = word.size() > 8 ? word.substr(word.size() - 3) : std::string_view();
      const auto number =
          unit.empty() ? std::nullopt : parse_unsigned(word.substr(5, word.size() - 8));
      if (!number || *number == 0 || *number > 100'000'000 || (unit != "r/s" && unit != "r/m"))
        return Loader::fail(
            d, fmt::format("has an invalid rate \"{}\"; as rate=10r/s or rate=30r/m", word));
      spec.rate = unit == "r/s" ? *number * 1000 : *number * 1000 / 60;
    } else {
      return Loader::fail(d, fmt::format("has an invalid parameter \"{}\"", word));
    }
  }
  if (spec.name.empty()) return Loader::fail(d, "must have the \"zone\" parameter");
  if (with_rate && spec.rate == 0) spec.rate = 1000;  // nginx's: one a second
  return spec;
}

template <std::vector<LimitZoneSpec> LimitSettings::*Zones, bool WithRate>
Result<void> apply_zone(Loader& loader, Scope& scope, const Directive& d) {
  auto spec = zone_of(loader, d, WithRate);
  if (!spec) return spec.error();
  auto& zones = scope.own<LimitSettings>().*Zones;
  for (const auto& other : zones)
    if (other.name == spec->name)
      return Loader::fail(d, fmt::format("has the zone \"{}\", which is already bound to the key "
                                         "\"{}\"",
                                         spec->name, other.key.text()));
  zones.push_back(std::move(*spec));
  return {};
}

Result<void> apply_limit_req(Loader&, Scope& scope, const Directive& d) {
  LimitRequests limit{.place = d.place};
  for (const auto& argument : d.arguments) {
    const std::string_view word = argument.text;
    const auto thousandths = [&](std::size_t from) -> std::optional<std::uint64_t> {
      const auto number = parse_unsigned(word.substr(from));
      if (!number || *number == 0 || *number > 100'000'000) return std::nullopt;
      return *number * 1000;
    };
    if (word.starts_with("zone=")) {
      limit.zone = word.substr(5);
    } else if (word.starts_with("burst=")) {
      const auto burst = thousandths(6);
      if (!burst) return Loader::fail(d, fmt::format("has an invalid burst value \"{}\"", word));
      limit.burst = *burst;
    } else if (word.starts_with("delay=")) {
      const auto delay = thousandths(6);
      if (!delay) return Loader::fail(d, fmt::format("has an invalid delay value \"{}\"", word));
      limit.delay = *delay;
    } else if (word == "nodelay") {
      limit.delay = ~std::uint64_t(0);
    } else {
      return Loader::fail(d, fmt::format("has an invalid parameter \"{}\"", word));
    }
  }
  if (limit.zone.empty()) return Loader::fail(d, "must have the \"zone\" parameter");
  auto& limits = scope.own<LimitSettings>().requests;
  for (const auto& other : limits.get())
    if (other.zone == limit.zone) return Loader::fail(d, "is duplicate");
  limits.edit().push_back(std::move(limit));
  return {};
}

Result<void> apply_limit_conn(Loader&, Scope& scope, const Directive& d) {
  LimitConnections limit{.zone = std::string(d.arg(0)), .place = d.place};
  const auto number = parse_unsigned(d.arg(1));
  if (!number || *number == 0 || *number > 65535)
    return Loader::fail(
        d, fmt::format("has an invalid number of connections \"{}\"; 1 to 65535", d.arg(1)));
  limit.most = *number;
  auto& limits = scope.own<LimitSettings>().connections;
  for (const auto& other : limits.get())
    if (other.zone == limit.zone) return Loader::fail(d, "is duplicate");
  limits.edit().push_back(std::move(limit));
  return {};
}

template <auto Field>
Result<void> apply_status(Loader& loader, Scope& scope, const Directive& d) {
  const auto status = parse_unsigned(d.arg(0));
  if (!status || *status < 400 || *status > 599)
    return Loader::fail(d, fmt::format("has an invalid status \"{}\"; 400 to 599", d.arg(0)));
  return loader.set_once(scope.own<LimitSettings>().*Field, static_cast<int>(*status), d);
}

template <auto Field>
Result<void> apply_level(Loader& loader, Scope& scope, const Directive& d) {
  constexpr std::string_view kWords[] = {"error", "warn", "notice", "info"};
  auto word = loader.choice(d, 0, kWords);
  if (!word) return word.error();
  return loader.set_once(scope.own<LimitSettings>().*Field,
                         static_cast<LogLevel>(static_cast<int>(LogLevel::Error) + *word), d);
}

template <auto Field>
Result<void> apply_rate(Loader& loader, Scope& scope, const Directive& d) {
  auto rate = rate_template(loader, d);
  if (!rate) return rate.error();
  return loader.set_once(scope.own<CoreSettings>().*Field, std::move(*rate), d);
}

const conf::DirectiveSpec kLimitDirectives[] = {
    {.name = "limit_rate",
     .contexts = conf::kHttpLevels | Context::LocationIf,
     .arity = {1, 1},
     .syntax = "limit_rate rate;",
     .fallback = "0",
     .doc = "Bytes a second that one response's body is sent at; 0: as fast as the client reads. "
            "Variables are allowed, and `set $limit_rate` goes before it.",
     .apply = apply_rate<&CoreSettings::limit_rate>},
    {.name = "limit_rate_after",
     .contexts = conf::kHttpLevels | Context::LocationIf,
     .arity = {1, 1},
     .syntax = "limit_rate_after size;",
     .fallback = "0",
     .doc = "Bytes that go out before limit_rate counts.",
     .apply = apply_rate<&CoreSettings::limit_rate_after>},
    {.name = "limit_req_zone",
     .contexts = conf::only(Context::Http),
     .arity = {2, 3},
     .syntax = "limit_req_zone key zone=name:size [rate=rate];",
     .doc = "Names a zone that counts requests by a key (an empty one is not counted) against a "
            "rate, r/s or r/m. The size bounds the keys that are remembered: a megabyte holds some "
            "7000; then those not seen for longest are forgotten.",
     .apply = apply_zone<&LimitSettings::rate_zones, true>,
     .note = "Kept over a reload while key and size stay."},
    {.name = "limit_req",
     .contexts = conf::kHttpLevels,
     .arity = {1, 4},
     .syntax = "limit_req zone=name [burst=number] [nodelay | delay=number];",
     .doc =
         "Requests above the zone's rate are delayed; those more than `burst` ahead are refused. "
         "The first `delay` ones, or all with `nodelay`, are not delayed.",
     .apply = apply_limit_req},
    {.name = "limit_req_status",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "limit_req_status code;",
     .fallback = "503",
     .doc = "What refused requests are answered with.",
     .apply = apply_status<&LimitSettings::requests_status>},
    {.name = "limit_req_log_level",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "limit_req_log_level info | notice | warn | error;",
     .fallback = "error",
     .doc = "At which level a refusal is logged; a delay one level lower.",
     .apply = apply_level<&LimitSettings::requests_level>},
    {.name = "limit_req_dry_run",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "limit_req_dry_run on | off;",
     .fallback = "off",
     .doc = "Only counts and logs, and sets $limit_req_status.",
     .apply = conf::set_flag<&LimitSettings::requests_dry_run>},
    {.name = "limit_conn_zone",
     .contexts = conf::only(Context::Http),
     .arity = {2, 2},
     .syntax = "limit_conn_zone key zone=name:size;",
     .doc = "Names a zone that counts, by a key, requests that are being answered.",
     .apply = apply_zone<&LimitSettings::connection_zones, false>,
     .note = "Kept over a reload while key and size stay."},
    {.name = "limit_conn",
     .contexts = conf::kHttpLevels,
     .arity = {2, 2},
     .syntax = "limit_conn zone number;",
     .doc = "At most so many at a time with the same key; more are refused, and so is a new key "
            "when the zone is full.",
     .apply = apply_limit_conn},
    {.name = "limit_conn_status",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "limit_conn_status code;",
     .fallback = "503",
     .doc = "What refused requests are answered with.",
     .apply = apply_status<&LimitSettings::connections_status>},
    {.name = "limit_conn_log_level",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "limit_conn_log_level info | notice | warn | error;",
     .fallback = "error",
     .doc = "At which level a refusal is logged.",
     .apply = apply_level<&LimitSettings::connections_level>},
    {.name = "limit_conn_dry_run",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "limit_conn_dry_run on | off;",
     .fallback = "off",
     .doc = "Only counts and logs, and sets $limit_conn_status.",
     .apply = conf::set_flag<&LimitSettings::connections_dry_run>},
};

}  // namespace

Result<conf::Template> rate_template(Loader& loader, const Directive& d) {
  auto rate = conf::Template::compile(d.arg(0), loader.service<VariableTable>());
  if (!rate) return Loader::fail(d, rate.error().detail);
  if (rate->is_literal() && !parse_size(rate->text()))
    return Loader::fail(d, fmt::format("has an invalid value \"{}\"; a size, as 100k", d.arg(0)));
  return std::move(*rate);
}

void add_limit_directives(conf::Schema& schema) {
  schema.add(kLimitDirectives);
  schema.add_settings<LimitSettings>();
}

}  // namespace gatescope::http
