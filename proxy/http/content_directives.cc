#include <fmt/format.h>

#include "conf/setters.h"
#include "proxy/http/content_settings.h"
#include "proxy/http/variables.h"

namespace gatescope::http {

void AddedFields::inherit(const AddedFields& outer) {
  mode.inherit(outer.mode);
  switch (mode.get()) {
    case FieldInheritance::Standard:
      return fields.inherit(outer.fields);
    case FieldInheritance::Off:
      return;
    case FieldInheritance::Merge: {
      auto all = outer.fields.get();
      all.insert(all.end(), fields->begin(), fields->end());
      fields.set(std::move(all));
    }
  }
}

void ContentSettings::inherit(const Settings& outer) {
  const auto& from = as<ContentSettings>(outer);
  headers.inherit(from.headers);
  trailers.inherit(from.trailers);
  expires.inherit(from.expires);
  if_modified_since.inherit(from.if_modified_since);
  max_ranges.inherit(from.max_ranges);
}

namespace {

using conf::Context;
using conf::Contexts;
using conf::Directive;
using conf::Loader;
using conf::Scope;

Result<void> add_field(Loader& loader, AddedFields& to, const Directive& d) {
  AddedField field{.name = std::string(d.arg(0))};
  if (d.count() == 3) {
    if (d.arg(2) != "always")
      return Loader::fail(
          d, fmt::format("has an invalid parameter \"{}\"; only \"always\" may follow", d.arg(2)));
    field.always = true;
  }
  if (field.name.empty()) return Loader::fail(d, "has an empty field name");
  for (char c : field.name)
    if (static_cast<unsigned char>(c) <= 32 || c == ':' || c == 127)
      return Loader::fail(d, fmt::format("has an invalid field name \"{}\"", field.name));
  auto value = conf::Template::compile(d.arg(1), loader.service<VariableTable>());
  if (!value) return Loader::fail(d, value.error().detail);
  field.value = std::move(*value);
  to.fields.edit().push_back(std::move(field));
  return {};
}

Result<void> apply_add_header(Loader& loader, Scope& scope, const Directive& d) {
  return add_field(loader, scope.own<ContentSettings>().headers, d);
}

Result<void> apply_add_trailer(Loader& loader, Scope& scope, const Directive& d) {
  return add_field(loader, scope.own<ContentSettings>().trailers, d);
}

template <AddedFields ContentSettings::*Fields>
Result<void> apply_inheritance(Loader& loader, Scope& scope, const Directive& d) {
  constexpr std::string_view kWords[] = {"on", "off", "merge"};
  auto word = loader.choice(d, 0, kWords);
  if (!word) return word.error();
  return loader.set_once((scope.own<ContentSettings>().*Fields).mode,
                         static_cast<FieldInheritance>(*word), d);
}

Result<void> apply_expires(Loader& loader, Scope& scope, const Directive& d) {
  ExpiresSettings settings;
  settings.modified = d.count() == 2;
  if (settings.modified && d.arg(0) != "modified")
    return Loader::fail(d, fmt::format("has an invalid parameter \"{}\": two arguments are "
                                       "\"modified\" and a time",
                                       d.arg(0)));
  const auto text = d.arg(d.count() - 1);
  if (text.find('$') != std::string_view::npos) {
    auto value = conf::Template::compile(text, loader.service<VariableTable>());
    if (!value) return Loader::fail(d, value.error().detail);
    settings.variable = std::move(*value);
  } else {
    const auto rule = Expires::parse(text, settings.modified);
    if (!rule)
      return Loader::fail(d, fmt::format("has an invalid value \"{}\" ({}): it must be a time such "
                                         "as 1h, -1 or @15h30m, or epoch, max or off",
                                         text, rule.error().detail));
    settings.rule = *rule;
  }
  return loader.set_once(scope.own<ContentSettings>().expires, std::move(settings), d);
}

Result<void> apply_if_modified_since(Loader& loader, Scope& scope, const Directive& d) {
  constexpr std::string_view kWords[] = {"off", "exact", "before"};
  auto word = loader.choice(d, 0, kWords);
  if (!word) return word.error();
  return loader.set_once(scope.own<ContentSettings>().if_modified_since,
                         static_cast<IfModifiedSince>(*word), d);
}

const conf::DirectiveSpec kContentDirectives[] = {
    {.name = "add_header",
     .contexts = conf::kHttpLevelsAndIf,
     .arity = {2, 3},
     .syntax = "add_header name value [always];",
     .doc = "Adds a field to responses with status 200, 201, 204, 206, 301-304, 307, 308; to all "
            "with `always`. Last-Modified and ETag are replaced, and with an empty value removed.",
     .apply = apply_add_header,
     .note = "A field that the handler sets itself is not doubled: the handler's stays."},
    {.name = "add_header_inherit",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "add_header_inherit on | off | merge;",
     .fallback = "on",
     .doc = "Which add_header a level takes from the one around: all of them unless it has its "
            "own, none, or all of them before its own.",
     .apply = apply_inheritance<&ContentSettings::headers>},
    {.name = "add_trailer",
     .contexts = conf::kHttpLevelsAndIf,
     .arity = {2, 3},
     .syntax = "add_trailer name value [always];",
     .doc = "Adds a field behind the body of the responses that add_header names, where the client "
            "speaks HTTP/1.1 and chunks are allowed.",
     .apply = apply_add_trailer},
    {.name = "add_trailer_inherit",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "add_trailer_inherit on | off | merge;",
     .fallback = "on",
     .doc = "Which add_trailer a level takes from the one around.",
     .apply = apply_inheritance<&ContentSettings::trailers>},
    {.name = "expires",
     .contexts = conf::kHttpLevelsAndIf,
     .arity = {1, 2},
     .syntax = "expires [modified] time; expires epoch | max | off;",
     .fallback = "off",
     .doc = "Sets Expires and Cache-Control of the responses that add_header names: so long after "
            "the request (or after the file's last change), at the next @time of the local clock, "
            "never (negative or epoch) or for ten years (max). The value may have variables.",
     .apply = apply_expires,
     .note = "The Cache-Control of spa_fallback stays."},
    {.name = "if_modified_since",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "if_modified_since off | exact | before;",
     .fallback = "exact",
     .doc = "How the time in If-Modified-Since is compared with the file's.",
     .apply = apply_if_modified_since,
     .note = "Beside If-None-Match it is ignored (RFC 9110); nginx wants both to hold."},
    {.name = "max_ranges",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "max_ranges number;",
     .doc =
         "How many byte ranges one request may name; with more, or when together they are larger "
         "than the file, all of it is sent. 0: none.",
     .apply = conf::set_number<&ContentSettings::max_ranges>},
};

}  // namespace

std::span<const conf::DirectiveSpec> content_directives() {
  return kContentDirectives;
}

}  // namespace gatescope::http
