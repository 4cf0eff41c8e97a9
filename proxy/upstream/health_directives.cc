// health_check, and match blocks with what stands in them.

#include <fmt/format.h>

#include "conf/setters.h"
#include "proxy/base/text.h"
#include "proxy/http/variables.h"
#include "proxy/upstream/health_settings.h"
#include "proxy/upstream/upstream_directives.h"

namespace gatescope::upstream {

namespace {

using conf::Directive;
using conf::Loader;
using conf::Scope;

/// One "name=value"; false: it is not valid.
bool read_parameter(std::string_view argument, HealthCheckSpec& check) {
  const auto time = [&](std::string_view name, Duration& field) {
    const auto text = conf::value_of(argument, name);
    const auto time = text ? parse_duration(*text) : std::nullopt;
    if (time) field = *time;
    return time.has_value();
  };
  const auto number = [&](std::string_view name, std::uint64_t max, auto& field) {
    const auto text = conf::value_of(argument, name);
    const auto n = text ? parse_unsigned(*text) : std::nullopt;
    if (!n || *n == 0 || *n > max) return false;
    field = static_cast<std::remove_reference_t<decltype(field)>>(*n);
    return true;
  };
  if (time("interval=", check.interval)) return check.interval > Duration::zero();
  if (time("jitter=", check.jitter) || time("keepalive_time=", check.keepalive_time)) return true;
  if (number("fails=", 65535, check.fails) || number("passes=", 65535, check.passes) ||
      number("port=", 65535, check.port))
    return true;
  if (const auto uri = conf::value_of(argument, "uri=");
      uri && uri->starts_with('/') && uri->find_first_of(" \t\r\n") == std::string_view::npos) {
    check.uri = *uri;
    return true;
  }
  if (const auto match = conf::value_of(argument, "match="); match && !match->empty()) {
    check.match = *match;
    return true;
  }
  if (argument == "mandatory") return check.mandatory = true;
  if (argument == "persistent") return check.persistent = true;
  return argument == "type=http";
}

Result<void> apply_health_check(Loader& loader, Scope& scope, const Directive& d) {
  auto& settings = scope.own<HealthSettings>();
  if (settings.check) return Loader::fail(d, "is duplicate");
  HealthCheckSpec check;
  check.place = d.place;
  for (std::size_t i = 0; i < d.count(); ++i)
    if (!read_parameter(d.arg(i), check))
      return Loader::fail_at(
          d.arguments[i].place,
          fmt::format("invalid parameter \"{}\" in \"health_check\"; interval=, jitter=, fails=, "
                      "passes=, uri=, match=, port=, keepalive_time=, mandatory and persistent are "
                      "known",
                      d.arg(i)));
  if (check.persistent && !check.mandatory)
    return Loader::fail(d, "\"persistent\" needs \"mandatory\" in \"health_check\"");
  for (const auto* name : {"host", "http_host", "proxy_host"}) {
    auto id = loader.service<http::VariableTable>().find(name);
    if (!id) return id.error();
    check.host_variables.push_back(*id);
  }
  settings.check = std::move(check);
  return {};
}

Result<void> apply_match(Loader& loader, Scope& scope, const Directive& d) {
  for (const auto& other : scope.children())
    if (const auto* known = other->find<MatchSettings>(); known && known->name == d.arg(0))
      return Loader::fail_at(d.place, fmt::format("duplicate match \"{}\"", d.arg(0)));
  auto block = loader.load_block(d, scope, conf::Context::Match);
  if (!block) return block.error();
  (*block)->own<MatchSettings>().name = d.arg(0);
  return {};
}

Result<void> apply_status(Loader&, Scope& scope, const Directive& d) {
  auto& rules = scope.own<MatchSettings>().rules;
  if (!rules.statuses.empty()) return Loader::fail(d, "is duplicate");
  rules.statuses_negated = d.arg(0) == "!";
  for (std::size_t i = rules.statuses_negated ? 1 : 0; i < d.count(); ++i) {
    const auto text = d.arg(i);
    const auto dash = text.find('-');
    const auto first = parse_unsigned(text.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : parse_unsigned(text.substr(dash + 1));
    if (!first || !last || *first < 100 || *last > 999 || *first > *last)
      return Loader::fail_at(d.arguments[i].place,
                             fmt::format("invalid status \"{}\"; it may be 200 or 200-399", text));
    rules.statuses.emplace_back(static_cast<int>(*first), static_cast<int>(*last));
  }
  if (rules.statuses.empty()) return Loader::fail(d, "needs a status behind \"!\"");
  return {};
}

Result<conf::Regex> regex_of(const Directive& d, std::size_t i) {
  auto regex = conf::Regex::compile(d.arg(i), false);
  if (!regex) return Loader::fail_at(d.arguments[i].place, regex.error().detail);
  return regex;
}

Result<void> apply_header(Loader&, Scope& scope, const Directive& d) {
  using Test = MatchRules::Header::Test;
  MatchRules::Header rule;
  const auto syntax = [&] {
    return Loader::fail(d,
                        "must be \"header name;\", \"header ! name;\", or a name, one of = != ~ "
                        "!~ and a value");
  };
  if (d.count() == 2) {
    if (d.arg(0) != "!") return syntax();
    rule.test = Test::Absent;
    rule.name = d.arg(1);
  } else {
    rule.name = d.arg(0);
  }
  if (d.count() == 3) {
    const auto op = d.arg(1);
    if (op == "=" || op == "!=") {
      rule.test = op == "=" ? Test::Equal : Test::NotEqual;
      rule.value = d.arg(2);
    } else if (op == "~" || op == "!~") {
      rule.test = op == "~" ? Test::Matches : Test::DoesNotMatch;
      auto regex = regex_of(d, 2);
      if (!regex) return regex.error();
      rule.regex = *std::move(regex);
    } else {
      return syntax();
    }
  }
  scope.own<MatchSettings>().rules.headers.push_back(std::move(rule));
  return {};
}

Result<void> apply_body(Loader&, Scope& scope, const Directive& d) {
  if (d.arg(0) != "~" && d.arg(0) != "!~")
    return Loader::fail(d, "must be \"body ~ regex;\" or \"body !~ regex;\"");
  auto regex = regex_of(d, 1);
  if (!regex) return regex.error();
  scope.own<MatchSettings>().rules.bodies.push_back({*std::move(regex), d.arg(0) == "!~"});
  return {};
}

constexpr conf::Contexts kInMatch = conf::only(conf::Context::Match);

const conf::DirectiveSpec kHealthDirectives[] = {
    {.name = "health_check",
     .contexts = conf::only(conf::Context::Location),
     .arity = {0, conf::Arity::kAny},
     .syntax = "health_check [interval=time] [jitter=time] [fails=n] [passes=n] [uri=uri] "
               "[mandatory [persistent]] [match=name] [port=n] [keepalive_time=time];",
     .fallback = {},
     .doc = "Asks every server of the group that this location's proxy_pass names, every 5 seconds "
            "and by the location's proxy_* settings, for uri (/). One that fails so many times in "
            "a row (fails, 1) gets no requests until it passed so many (passes, 1). mandatory: a "
            "server gets none before it passed, with persistent not again after a reload. A body "
            "is looked at up to 256k. The error log has a line for each change.",
     .apply = apply_health_check,
     .note = "nginx has it in its commercial version only, and there the group needs a zone. Of "
             "variables in proxy_set_header those of the host have a value, others are empty."},
    {.name = "match",
     .contexts = conf::only(conf::Context::Http),
     .arity = {1, 1, true},
     .syntax = "match name { ... }",
     .doc = "What an answer to health_check must be: all that is in the block.",
     .apply = apply_match},
    {.name = "status",
     .contexts = kInMatch,
     .arity = {1, conf::Arity::kAny},
     .syntax = "status [!] code | code-code ...;",
     .fallback = "200-399",
     .doc = "The status is one of these, or with ! none of them.",
     .apply = apply_status},
    {.name = "header",
     .contexts = kInMatch,
     .arity = {1, 3},
     .syntax = "header [!] name; header name = | != | ~ | !~ value;",
     .doc = "A field is there, or not; is a value, or not; fits a regular expression, or not.",
     .apply = apply_header},
    {.name = "body",
     .contexts = kInMatch,
     .arity = {2, 2},
     .syntax = "body ~ | !~ regex;",
     .doc = "The first 256k of the body fit a regular expression, or not.",
     .apply = apply_body},
};

}  // namespace

void add_health_directives(conf::Schema& schema) {
  schema.add(kHealthDirectives);
  schema.add_settings<HealthSettings>();
}

}  // namespace gatescope::upstream
