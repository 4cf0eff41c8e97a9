#include <fmt/format.h>

#include "conf/setters.h"
#include "proxy/http/charset_settings.h"
#include "proxy/http/variables.h"

namespace gatescope::http {

void CharsetSettings::inherit(const Settings& outer) {
  const auto& from = as<CharsetSettings>(outer);
  charset.inherit(from.charset);
  source.inherit(from.source);
  override_charset.inherit(from.override_charset);
  types.inherit(from.types);
  maps.inherit(from.maps);
}

namespace {

using conf::Arity;
using conf::Context;
using conf::Contexts;
using conf::Directive;
using conf::Loader;
using conf::Scope;

template <conf::Inherited<std::optional<conf::Template>> CharsetSettings::*Field>
Result<void> apply_charset(Loader& loader, Scope& scope, const Directive& d) {
  std::optional<conf::Template> name;
  if (d.arg(0) != "off") {
    auto compiled = conf::Template::compile(d.arg(0), loader.service<VariableTable>());
    if (!compiled) return Loader::fail(d, compiled.error().detail);
    name = std::move(*compiled);
  }
  return loader.set_once(scope.own<CharsetSettings>().*Field, std::move(name), d);
}

Result<void> apply_types(Loader& loader, Scope& scope, const Directive& d) {
  auto& field = scope.own<CharsetSettings>().types;
  auto types = field.is_set() ? field.get() : TypeSet{"text/html"};
  for (const auto& argument : d.arguments)
    if (!types.add(argument.text))
      loader.warn(argument.place, fmt::format("duplicate MIME type \"{}\"", argument.text));
  field.set(std::move(types));
  return {};
}

Result<void> apply_charset_map(Loader&, Scope& scope, const Directive& d) {
  if (equals_ignoring_case(d.arg(0), d.arg(1)))
    return Loader::fail(d, fmt::format("\"charset_map\" between the same charsets \"{}\" and "
                                       "\"{}\"",
                                       d.arg(0), d.arg(1)));
  auto& maps = scope.own<CharsetSettings>().maps;
  if (find_recoding(maps.get(), d.arg(0), d.arg(1)))
    return Loader::fail(
        d, fmt::format("duplicate \"charset_map\" between \"{}\" and \"{}\"", d.arg(0), d.arg(1)));
  auto map = std::make_shared<CharsetMap>(std::string(d.arg(0)), std::string(d.arg(1)));
  for (const auto& line : d.block) {
    if (line.has_block || line.count() != 1)
      return Loader::fail(line,
                          "a line of charset_map is two values in hexadecimal: \"80 E282AC;\"");
    if (auto added = map->add(line.name, line.arg(0)); !added)
      return Loader::fail(line, added.error().detail);
  }
  maps.edit().push_back(std::move(map));
  return {};
}

const conf::DirectiveSpec kCharsetDirectives[] = {
    {.name = "charset",
     .contexts = conf::kHttpLevelsAndIf,
     .arity = {1, 1},
     .syntax = "charset charset | off;",
     .fallback = "off",
     .doc = "The charset that Content-Type names; with source_charset the one that bodies are "
            "recoded to. May have variables.",
     .apply = apply_charset<&CharsetSettings::charset>},
    {.name = "source_charset",
     .contexts = conf::kHttpLevelsAndIf,
     .arity = {1, 1},
     .syntax = "source_charset charset;",
     .doc = "The charset that bodies are in, where they do not say so themselves.",
     .apply = apply_charset<&CharsetSettings::source>},
    {.name = "override_charset",
     .contexts = conf::kHttpLevelsAndIf,
     .arity = {1, 1},
     .syntax = "override_charset on | off;",
     .fallback = "off",
     .doc = "Whether answers that name a charset (of a proxied server) are recoded too.",
     .apply = conf::set_flag<&CharsetSettings::override_charset>},
    {.name = "charset_types",
     .contexts = conf::kHttpLevels,
     .arity = {1, Arity::kAny},
     .syntax = "charset_types type ... | *;",
     .fallback = "text/html text/xml text/plain text/vnd.wap.wml application/javascript "
                 "application/rss+xml",
     .doc = "The types that charset concerns, text/html always.",
     .apply = apply_types},
    {.name = "charset_map",
     .contexts = conf::only(Context::Http),
     .arity = {2, 2, true},
     .syntax = "charset_map source destination { code code; ... }",
     .doc = "How to recode between two charsets, in both directions; the destination may be utf-8, "
            "with codes of several bytes.",
     .apply = apply_charset_map},
};

}  // namespace

std::span<const conf::DirectiveSpec> charset_directives() {
  return kCharsetDirectives;
}

}  // namespace gatescope::http
