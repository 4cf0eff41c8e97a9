#include "proxy/http/map.h"

#include <fmt/format.h>

#include "proxy/base/text.h"
#include "proxy/http/exchange.h"

namespace gatescope::http {

namespace {

Error invalid(std::string what) {
  return make_error(ErrorKind::Invalid, Origin::Internal, std::move(what));
}

class MapVariable final : public MadeVariable {
 public:
  MapVariable(conf::Template source, MapTable table)
      : source_(std::move(source)), table_(std::move(table)) {}

  std::optional<std::string_view> value(Exchange& x) const override {
    const auto text = source_.evaluate(x, x.arena());
    auto found = table_.find(text);
    if (!found.value) return "";
    if (found.expression) {
      x.set_captures(std::move(found.captures), text);
      for (const auto& [id, group] : found.expression->names)
        x.set_value(id, x.captures().group(text, group));
    }
    return found.value->evaluate(x, x.arena());
  }

 private:
  const conf::Template source_;
  const MapTable table_;
};

Result<void> apply_map(conf::Loader& loader, conf::Scope&, const conf::Directive& d) {
  auto& variables = loader.service<VariableTable>();
  auto source = conf::Template::compile(d.arg(0), variables);
  if (!source) return conf::Loader::fail(d, source.error().detail);
  if (!d.arg(1).starts_with('$') || d.arg(1).size() < 2)
    return conf::Loader::fail(
        d, fmt::format("has an invalid variable name \"{}\"; it must begin with \"$\"", d.arg(1)));
  MapTable table;
  bool cached = true;
  for (const auto& line : d.block)
    if (line.name == "hostnames" && line.count() == 0 && !line.has_block) table.use_hostnames();
  for (const auto& line : d.block) {
    const auto bad = [&](std::string_view what) { return conf::Loader::fail_at(line.place, what); };
    if (line.has_block) return bad("a map holds lines of a key and a value, no blocks");
    if (line.count() == 0 && line.name == "hostnames") continue;
    if (line.count() == 0 && line.name == "volatile") {
      cached = false;
      continue;
    }
    if (line.count() != 1)
      return bad(
          fmt::format("invalid number of the map parameters: \"{}\" needs one value; quote "
                      "one that holds blanks",
                      line.name));
    auto value = conf::Template::compile(line.arg(0), variables);
    if (!value) return bad(value.error().detail);
    auto added = line.name == "default" ? table.set_default(std::move(*value))
                                        : table.add(line.name, std::move(*value), variables);
    if (!added) return bad(added.error().detail);
  }
  auto id =
      variables.define(d.arg(1).substr(1),
                       std::make_unique<MapVariable>(std::move(*source), std::move(table)), cached);
  return id ? Result<void>() : conf::Loader::fail(d, id.error().detail);
}

const conf::DirectiveSpec kMap[] = {
    {.name = "map",
     .contexts = conf::only(conf::Context::Http),
     .arity = {2, 2, true},
     .syntax = "map string $variable { [default value;] [hostnames;] [volatile;] key value; ... }",
     .doc = "Makes a variable whose value is looked up by a text: equal to a key (without case), "
            "with `hostnames` by wildcards (*.x, .x, x.*), by expressions (~, ~*) in the order of "
            "writing, or the default. Found once per request unless `volatile`.",
     .apply = apply_map},
    {.name = "map_hash_max_size",
     .contexts = conf::only(conf::Context::Http),
     .arity = {1, 1},
     .syntax = "map_hash_max_size size;",
     .doc = "nginx's memory layout."},
    {.name = "map_hash_bucket_size",
     .contexts = conf::only(conf::Context::Http),
     .arity = {1, 1},
     .syntax = "map_hash_bucket_size size;",
     .doc = "nginx's memory layout."},
};

}  // namespace

Result<void> MapTable::set_default(conf::Template value) {
  if (default_) return invalid("duplicate default map parameter");
  default_ = std::make_unique<conf::Template>(std::move(value));
  return {};
}

Result<void> MapTable::add(std::string_view key, conf::Template value, VariableTable& variables) {
  if (key.starts_with('~')) {
    key.remove_prefix(1);
    const bool ignore_case = key.starts_with('*');
    if (ignore_case) key.remove_prefix(1);
    auto regex = conf::Regex::compile(key, ignore_case);
    if (!regex) return regex.error();
    Expression made{std::move(*regex), {}, std::move(value)};
    for (const auto& [name, group] : made.regex.names()) {
      auto id = variables.define(name);
      if (!id) return id.error();
      made.names.emplace_back(*id, group);
    }
    expressions_.push_back(std::move(made));
    return {};
  }
  if (key.starts_with('\\')) key.remove_prefix(1);  // "\default" is a text, not the default
  const auto text = lower(key);
  const auto put = [&](Texts& texts, std::string name) -> Result<void> {
    if (!texts.emplace(std::move(name), value).second)
      return invalid(fmt::format("conflicting parameter \"{}\"", key));
    return {};
  };
  if (!hostnames_) return put(exact_, text);
  if (text.starts_with("*.")) return put(leading_, text.substr(1));
  if (text.ends_with(".*")) return put(trailing_, text.substr(0, text.size() - 1));
  if (text.find('*') != std::string::npos)
    return invalid(
        fmt::format("invalid hostname \"{}\": a wildcard stands for whole labels at one "
                    "end (*.example.org, www.example.*)",
                    key));
  if (!text.starts_with('.')) return put(exact_, text);
  if (auto added = put(leading_, text); !added) return added;
  return put(exact_, text.substr(1));
}

const conf::Template* MapTable::find_text(std::string_view text) const {
  if (hostnames_ && text.ends_with('.')) text.remove_suffix(1);
  if (const auto it = exact_.find(text); it != exact_.end()) return &it->second;
  if (!leading_.empty())  // the longest first
    for (auto dot = text.find('.'); dot != std::string_view::npos; dot = text.find('.', dot + 1)) {
      if (dot == 0) continue;
      if (const auto it = leading_.find(text.substr(dot)); it != leading_.end()) return &it->second;
    }
  if (!trailing_.empty())
    for (auto dot = text.rfind('.'); dot != std::string_view::npos && dot > 0;
         dot = text.rfind('.', dot - 1))
      if (const auto it = trailing_.find(text.substr(0, dot + 1)); it != trailing_.end())
        return &it->second;
  return nullptr;
}

MapTable::Found MapTable::find(std::string_view text) const {
  Found found;
  char few[256];
  std::string many;
  std::string_view folded;
  if (text.size() <= sizeof few) {
    for (std::size_t i = 0; i < text.size(); ++i)
      few[i] = to_lower(text[i]);
    folded = {few, text.size()};
  } else {
    folded = many = lower(text);
  }
  found.value = find_text(folded);
  for (auto it = expressions_.begin(); !found.value && it != expressions_.end(); ++it)
    if (it->regex.match(text, &found.captures)) {
      found.value = &it->value;
      found.expression = &*it;
    }
  if (!found.value) found.value = default_.get();
  return found;
}

std::span<const conf::DirectiveSpec> map_directives() {
  return kMap;
}

}  // namespace gatescope::http
