#include "conf/schema.h"

#include <algorithm>

#include "proxy/base/text.h"

namespace gatescope::conf {
namespace {

constexpr std::string_view kAnyName = "*";

}  // namespace

std::string_view name_of(Context context) {
  switch (context) {
    case Context::Main:
      return "main";
    case Context::Events:
      return "events";
    case Context::Http:
      return "http";
    case Context::Server:
      return "server";
    case Context::Location:
      return "location";
    case Context::ServerIf:
      return "if in server";
    case Context::LocationIf:
      return "if in location";
    case Context::LimitExcept:
      return "limit_except";
    case Context::Upstream:
      return "upstream";
    case Context::Types:
      return "types";
    case Context::Map:
      return "map";
    case Context::Geo:
      return "geo";
    case Context::Numberscope:
      return "numberscope";
    case Context::AcmeIssuer:
      return "acme_issuer";
    case Context::Match:
      return "match";
  }
  return "unknown";
}

std::vector<std::string_view> names_of(Contexts contexts) {
  std::vector<std::string_view> names;
  for (Contexts bit = 1; bit != 0 && bit <= contexts; bit <<= 1) {
    if (contexts & bit) names.push_back(name_of(static_cast<Context>(bit)));
  }
  return names;
}

Scope& Scope::add_child(Context context, const Directive* opened_by) {
  return *children_.emplace_back(std::make_unique<Scope>(this, context, opened_by));
}

void Schema::add(std::span<const DirectiveSpec> table) {
  for (const DirectiveSpec& spec : table)
    by_name_[spec.name].push_back(&spec);
}

const DirectiveSpec* Schema::find(std::string_view name, Context context) const {
  for (std::string_view key : {name, kAnyName}) {
    const auto found = by_name_.find(key);
    if (found == by_name_.end()) continue;
    for (const DirectiveSpec* spec : found->second) {
      if (spec->contexts & only(context)) return spec;
    }
  }
  return nullptr;
}

std::vector<const DirectiveSpec*> Schema::find_all(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? std::vector<const DirectiveSpec*>() : found->second;
}

std::vector<const DirectiveSpec*> Schema::all() const {
  std::vector<const DirectiveSpec*> specs;
  for (const auto& [name, same_name] : by_name_)
    specs.insert(specs.end(), same_name.begin(), same_name.end());
  std::sort(specs.begin(), specs.end(), [](const DirectiveSpec* a, const DirectiveSpec* b) {
    return a->name != b->name ? a->name < b->name : a->contexts < b->contexts;
  });
  return specs;
}

std::optional<std::string_view> Schema::nearest(std::string_view name) const {
  std::vector<std::string_view> names;
  for (const auto& entry : by_name_) {
    if (entry.first != kAnyName) names.push_back(entry.first);
  }
  std::sort(names.begin(),
            names.end());  // among equally near ones the answer must not depend on hashing
  return nearest_word(name, names);
}

void Schema::resolve(Scope& scope) const {
  for (const Kind& kind : kinds_) {
    auto& held = scope.settings_[kind.key];
    if (!held) held = kind.make();
    if (scope.parent_) held->inherit(*scope.parent_->settings_.at(kind.key));
  }
  for (const auto& child : scope.children_)
    resolve(*child);
}

}  // namespace gatescope::conf
