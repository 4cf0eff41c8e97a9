// What the less simple directives of this library do with their arguments.

#include <fmt/format.h>

#include "proxy/base/text.h"
#include "proxy/http/core_settings.h"
#include "proxy/http/variables.h"
#include "static/files_directives.h"
#include "static/files_settings.h"

namespace gatescope::files {
namespace {

Result<void> wrong_argument(const conf::Argument& argument, std::string_view expected) {
  return conf::Loader::fail_at(
      argument.place, fmt::format("invalid parameter \"{}\", {}", argument.text, expected));
}

/// The text behind "name="; nullopt: another parameter.
std::optional<std::string_view> named(std::string_view argument, std::string_view name) {
  if (!argument.starts_with(name)) return std::nullopt;
  return argument.substr(name.size());
}

}  // namespace

Result<void> apply_types(conf::Loader& loader, conf::Scope& scope, const conf::Directive& d) {
  auto& field = scope.own<http::CoreSettings>().types;
  // A second block on the same level adds to the first (nginx); a level inside begins anew.
  auto types = field.is_set() ? http::MimeTypes(*field.get()) : http::MimeTypes();
  for (const auto& line : d.block) {
    if (line.has_block || line.count() == 0)
      return conf::Loader::fail(line, "needs a type and its extensions: \"text/html html htm;\",");
    for (const auto& argument : line.arguments) {
      const auto extension = lower(argument.text);
      const auto known = types.find(extension);
      if (known != types.end() && known->second != line.name) {
        loader.warn(argument.place, fmt::format("duplicate extension \"{}\", content type: \"{}\", "
                                                "previous content type: \"{}\"",
                                                extension, line.name, known->second));
      }
      types.insert_or_assign(extension, line.name);
    }
  }
  field.set(std::make_shared<const http::MimeTypes>(std::move(types)));
  return {};
}

Result<void> apply_open_file_cache(conf::Loader& loader, conf::Scope& scope,
                                   const conf::Directive& d) {
  FileSettings::CacheSize size;
  for (const auto& argument : d.arguments) {
    if (argument.text == "off" && d.count() == 1) {
      size.enabled = false;
    } else if (const auto max = named(argument.text, "max=")) {
      const auto value = parse_unsigned(*max);
      if (!value || *value == 0) return wrong_argument(argument, "it must be a number above 0");
      size.max = static_cast<std::size_t>(*value);
    } else if (const auto inactive = named(argument.text, "inactive=")) {
      const auto value = parse_duration(*inactive);
      if (!value) return wrong_argument(argument, "it must be a time such as 60s");
      size.inactive = *value;
    } else {
      return wrong_argument(argument, "it must be off, max=N or inactive=time");
    }
  }
  if (size.enabled && size.max == 0)
    return conf::Loader::fail(d, "\"open_file_cache\" must have the \"max\" parameter");
  return loader.set_once(scope.own<FileSettings>().cache_size, size, d);
}

Result<void> apply_disable_symlinks(conf::Loader& loader, conf::Scope& scope,
                                    const conf::Directive& d) {
  SymlinkSettings settings;
  bool rule_seen = false;
  for (const auto& argument : d.arguments) {
    const std::string_view text = argument.text;
    if (const auto from = named(text, "from=")) {
      auto compiled = conf::Template::compile(*from, loader.service<http::VariableTable>());
      if (!compiled) return conf::Loader::fail_at(argument.place, compiled.error().detail);
      settings.trusted = std::move(*compiled);
      continue;
    }
    if (rule_seen || (text != "off" && text != "on" && text != "if_not_owner"))
      return wrong_argument(argument, "it must be off, on or if_not_owner, and from=part");
    rule_seen = true;
    settings.rule = text == "off"  ? Symlinks::Follow
                    : text == "on" ? Symlinks::Refuse
                                   : Symlinks::RefuseForeign;
  }
  if (!rule_seen || (settings.rule == Symlinks::Follow && d.count() > 1))
    return conf::Loader::fail(d, "\"from=\" needs on or if_not_owner before it");
  return loader.set_once(scope.own<FileSettings>().symlinks, std::move(settings), d);
}

Result<void> apply_spa_fallback(conf::Loader&, conf::Scope& scope, const conf::Directive& d) {
  auto& settings = scope.own<FileSettings>();
  if (settings.spa) return conf::Loader::fail(d, "is duplicate");
  if (settings.try_files)
    return conf::Loader::fail(d, "\"spa_fallback\" replaces \"try_files\": remove one of them");
  SpaSettings spa;
  for (const auto& argument : d.arguments) {
    const std::string_view text = argument.text;
    if (const auto hashed = named(text, "hashed=")) {
      if (!hashed->starts_with('/') || !hashed->ends_with('/'))
        return wrong_argument(argument, "it must be a folder's path such as hashed=/assets/");
      spa.hashed = *hashed;
    } else if (text.starts_with('/') && !text.ends_with('/') && spa.index.empty()) {
      spa.index = text;
    } else {
      return wrong_argument(argument, "it must be the path of a page such as /index.html");
    }
  }
  if (spa.index.empty())
    return conf::Loader::fail(d, "\"spa_fallback\" needs the path of the page: /index.html");
  settings.spa = std::move(spa);
  return {};
}

}  // namespace gatescope::files
