#include "api/api_directives.h"

#include <fmt/format.h>

#include <iterator>

#include "api/api_module.h"
#include "proxy/base/text.h"
#include "proxy/http/core_directives.h"

namespace gatescope::api {

namespace {

using conf::Context;
using conf::Directive;
using conf::Loader;
using conf::Scope;
using Match = http::LocationPattern::Match;

/// The block's words fill the settings of the level around, which every location inherits.
NumberscopeSettings& settings_of(Scope& scope) {
  return scope.parent()->own<NumberscopeSettings>();
}

Result<void> apply_numberscope(Loader& loader, Scope& scope, const Directive& d) {
  auto& settings = scope.own<NumberscopeSettings>();
  if (auto set = loader.set_once(settings.present, true, d); !set) return set;
  settings.default_state_dir.set(loader.path("state"));
  auto inner = loader.load_block(d, scope, Context::Numberscope);
  return inner ? Result<void>() : inner.error();
}

Result<void> apply_database(Loader& loader, Scope& scope, const Directive& d) {
  auto& settings = settings_of(scope);
  const std::string_view first = d.arg(0);
  if (d.count() == 1 && first == "embedded")
    return loader.set_once(settings.database, DatabaseKind::Embedded, d);
  if (d.count() == 1 && first == "env")
    return loader.set_once(settings.database, DatabaseKind::Environment, d);
  std::string connection(first);
  for (std::size_t i = 1; i < d.count(); ++i)
    connection += " " + std::string(d.arg(i));
  if (connection.find('=') == std::string::npos && !first.starts_with("postgresql://") &&
      !first.starts_with("postgres://")) {
    return Loader::fail(d, fmt::format("invalid value \"{}\" in \"database\" directive: it may be "
                                       "embedded, env, or a connection string such as "
                                       "\"host=/run/postgresql dbname=backscope\"",
                                       connection));
  }
  settings.connection.set(std::move(connection));
  return loader.set_once(settings.database, DatabaseKind::Connection, d);
}

Result<void> apply_oeis(Loader& loader, Scope& scope, const Directive& d) {
  std::string_view url = d.arg(0);
  if (url == "off") return loader.set_once(settings_of(scope).oeis, std::string(), d);
  while (url.ends_with('/'))
    url.remove_suffix(1);
  const bool known = url.starts_with("https://") || url.starts_with("http://");
  if (!known || url.size() <= std::string_view("https://").size() ||
      url.find_first_of(" ?#") != std::string_view::npos) {
    return Loader::fail(d, fmt::format("invalid value \"{}\" in \"oeis\" directive: it may be an "
                                       "address such as https://oeis.org, or off",
                                       d.arg(0)));
  }
  return loader.set_once(settings_of(scope).oeis, std::string(url), d);
}

Result<void> apply_agent(Loader& loader, Scope& scope, const Directive& d) {
  const std::string_view agent = d.arg(0);
  for (const char c : agent) {
    if (c < ' ' || c > '~') return Loader::fail(d, "invalid character in \"oeis_agent\" directive");
  }
  if (trim(agent).empty()) {
    return Loader::fail(d,
                        "empty \"oeis_agent\" directive: OEIS refuses requests without a name and "
                        "a contact address");
  }
  return loader.set_once(settings_of(scope).oeis_agent, std::string(agent), d);
}

template <conf::Inherited<std::string> NumberscopeSettings::*Field>
Result<void> apply_path(Loader& loader, Scope& scope, const Directive& d) {
  std::string path = loader.path(d.arg(0));
  while (path.size() > 1 && path.ends_with('/'))
    path.pop_back();
  auto& settings = scope.context() == Context::Numberscope ? settings_of(scope)
                                                           : scope.own<NumberscopeSettings>();
  return loader.set_once(settings.*Field, std::move(path), d);
}

Result<void> apply_search(Loader& loader, Scope& scope, const Directive& d) {
  static constexpr std::string_view kWords[] = {"local", "oeis", "local_then_oeis"};
  const auto choice = loader.choice(d, 0, kWords);
  if (!choice) return choice.error();
  return loader.set_once(settings_of(scope).search, static_cast<SearchWhere>(*choice), d);
}

Result<void> apply_factor_workers(Loader& loader, Scope& scope, const Directive& d) {
  const auto number = loader.number(d);
  if (!number) return number.error();
  if (*number > 64) return Loader::fail(d, "\"factor_workers\" may be at most 64");
  return loader.set_once(settings_of(scope).factor_workers, *number, d);
}

Result<void> apply_cache_size(Loader& loader, Scope& scope, const Directive& d) {
  const auto size = loader.size(d);
  if (!size) return size.error();
  return loader.set_once(settings_of(scope).api_cache_size, *size, d);
}

Result<void> apply_api_log(Loader& loader, Scope& scope, const Directive& d) {
  auto& settings = settings_of(scope);
  const bool off = d.arg(0) == "off";
  if (auto set = loader.set_once(settings.api_log, off ? std::string() : loader.path(d.arg(0)), d);
      !set) {
    return set;
  }
  LogFileSettings rotation = kApiLogRotation;
  for (std::size_t i = 1; i < d.count(); ++i) {
    if (off || !take_api_log_rotation(d.arg(i), rotation)) {
      return Loader::fail(d,
                          fmt::format("invalid parameter \"{}\" in \"api_log\" directive: it may "
                                      "be size=20m (at least 4k) or keep=9",
                                      d.arg(i)));
    }
  }
  settings.api_log_rotation.set(std::move(rotation));
  return {};
}

Result<void> apply_api(Loader& loader, Scope& scope, const Directive& d) {
  auto& core = scope.own<http::CoreSettings>();
  if (core.handler_maker != nullptr) {
    return Loader::fail(d, fmt::format("\"numberscope_api\" cannot stand beside \"{}\" in one "
                                       "location",
                                       core.handler_set_by ? core.handler_set_by->name
                                                           : std::string("another handler")));
  }
  core.handler_maker = &loader.service<ApiModule>();
  core.handler_set_by = &d;
  const auto pattern = http::location_pattern(*scope.opened_by());
  if (pattern && (pattern->match == Match::Prefix || pattern->match == Match::PrefixNoRegex) &&
      !pattern->text.ends_with('/')) {
    loader.warn(d.place,
                fmt::format("\"location {0}\" takes {0}x too, which is answered 404: write "
                            "\"location {0}/\" and \"location = {0}\"",
                            pattern->text));
  }
  return {};
}

constexpr conf::Contexts kMain = conf::only(Context::Main);
constexpr conf::Contexts kBlock = conf::only(Context::Numberscope);

const conf::DirectiveSpec kApiDirectives[] = {
    {.name = "numberscope",
     .contexts = kMain,
     .arity = {0, 0, true},
     .syntax = "numberscope { ... }",
     .doc = "What the Numberscope API needs. One per configuration.",
     .apply = apply_numberscope},
    {.name = "database",
     .contexts = kBlock,
     .arity = {1, conf::Arity::kAny},
     .syntax = "database embedded | env | connection-string;",
     .fallback = "embedded",
     .doc = "Where sequences are stored: a private PostgreSQL in state_dir, the database that "
            "POSTGRES_* variables name as for backscope, or one given by libpq's keywords or URI.",
     .apply = apply_database},
    {.name = "env_file",
     .contexts = kBlock,
     .arity = {1, 1},
     .syntax = "env_file path;",
     .doc =
         "File with the POSTGRES_* variables for \"database env\"; variables of the process come "
         "first.",
     .apply = apply_path<&NumberscopeSettings::env_file>},
    {.name = "oeis",
     .contexts = kBlock,
     .arity = {1, 1},
     .syntax = "oeis url | off;",
     .fallback = "https://oeis.org",
     .doc = "Where b-files come from; off: OEIS is never asked.",
     .apply = apply_oeis},
    {.name = "oeis_agent",
     .contexts = kBlock,
     .arity = {1, 1},
     .syntax = "oeis_agent text;",
     .fallback = "\"numberscope/1.0 (+https://numberscope.colorado.edu)\"",
     .doc = "The User-Agent of requests to OEIS: a name and where to complain.",
     .apply = apply_agent},
    {.name = "oeisdata",
     .contexts = kBlock,
     .arity = {1, 1},
     .syntax = "oeisdata path;",
     .doc = "A clone of the repository oeis/oeisdata: names, and first terms while OEIS is away.",
     .apply = apply_path<&NumberscopeSettings::oeisdata>},
    {.name = "search",
     .contexts = kBlock,
     .arity = {1, 1},
     .syntax = "search local | oeis | local_then_oeis;",
     .fallback = "local",
     .doc =
         "Where searches are answered from: the index in memory, OEIS, or OEIS when the index has "
         "nothing.",
     .apply = apply_search},
    {.name = "factor_workers",
     .contexts = kBlock,
     .arity = {1, 1},
     .syntax = "factor_workers number;",
     .fallback = "1",
     .doc = "How many processes gatescope-factor compute at a time, at low priority; 0: none, and "
            "what "
            "is not stored stays no_fac_yet. The program is looked for beside gatescope.",
     .apply = apply_factor_workers},
    {.name = "api_log",
     .contexts = kBlock,
     .arity = {1, 3},
     .syntax = "api_log path [size=size] [keep=number] | off;",
     .doc =
         "What the API asked OEIS for, and what went wrong: JSON, a line for each event. The file "
         "is rotated when it has `size` (20m), and `keep` (9) old ones are kept.",
     .apply = apply_api_log},
    {.name = "api_cache_size",
     .contexts = kBlock,
     .arity = {1, 1},
     .syntax = "api_cache_size size;",
     .fallback = "64m",
     .doc = "How much memory answers may hold, compressed forms included; the ones not used for "
            "longest go first. An answer larger than about a fifth of it is made anew each time.",
     .apply = apply_cache_size},
    {.name = "state_dir",
     .contexts = kMain,
     .arity = {1, 1},
     .syntax = "state_dir path;",
     .fallback = "state",
     .doc = "Where gatescope keeps what must survive: the embedded database, accounts and "
            "certificates.",
     .apply = apply_path<&NumberscopeSettings::state_dir>},
    {.name = "numberscope_api",
     .contexts = conf::only(Context::Location),
     .arity = {0, 0},
     .syntax = "numberscope_api;",
     .doc = "Answers the Numberscope API below the path that the location names.",
     .apply = apply_api},
};

}  // namespace

bool take_api_log_rotation(std::string_view word, LogFileSettings& settings) {
  if (word.starts_with("size=")) {
    const auto size = parse_size(word.substr(5));
    if (!size || *size < 4096) return false;
    settings.rotate_at = *size;
    return true;
  }
  const auto keep = word.starts_with("keep=") ? parse_unsigned(word.substr(5)) : std::nullopt;
  if (!keep || *keep > 999) return false;
  settings.keep = static_cast<unsigned>(*keep);
  return true;
}

void NumberscopeSettings::inherit(const Settings& outer_settings) {
  const auto& outer = as<NumberscopeSettings>(outer_settings);
  present.inherit(outer.present);
  database.inherit(outer.database);
  connection.inherit(outer.connection);
  env_file.inherit(outer.env_file);
  oeis.inherit(outer.oeis);
  oeis_agent.inherit(outer.oeis_agent);
  oeisdata.inherit(outer.oeisdata);
  state_dir.inherit(outer.state_dir);
  default_state_dir.inherit(outer.default_state_dir);
  search.inherit(outer.search);
  factor_workers.inherit(outer.factor_workers);
  api_cache_size.inherit(outer.api_cache_size);
  api_log.inherit(outer.api_log);
  api_log_rotation.inherit(outer.api_log_rotation);
}

void add_numberscope_directives(conf::Schema& schema) {
  schema.add(kApiDirectives);
  schema.add_settings<NumberscopeSettings>();
}

std::string prefix_of_location(const conf::Scope& location) {
  const auto pattern = http::location_pattern(*location.opened_by());
  if (!pattern || !pattern->text.starts_with('/') || pattern->match == Match::Regex ||
      pattern->match == Match::RegexNoCase) {
    return "/api";
  }
  std::string prefix = pattern->text;
  while (prefix.ends_with('/'))
    prefix.pop_back();
  return prefix;
}

}  // namespace gatescope::api
