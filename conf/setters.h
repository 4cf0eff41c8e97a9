#pragma once

// Apply functions for directives that set one field: `.apply =
// conf::set_flag<&CoreSettings::merge_slashes>`.

#include <optional>
#include <string_view>
#include <type_traits>

#include "conf/schema.h"

namespace gatescope::conf {

template <class T>
struct MemberOf;
template <class C, class V>
struct MemberOf<Inherited<V> C::*> {
  using Class = C;
  using Value = V;
};

template <auto Field>
using ClassOf = typename MemberOf<decltype(Field)>::Class;
template <auto Field>
using ValueOf = typename MemberOf<decltype(Field)>::Value;

/// What stands behind `name` ("weight="); nullopt: another parameter.
inline std::optional<std::string_view> value_of(std::string_view argument, std::string_view name) {
  if (!argument.starts_with(name)) return std::nullopt;
  return argument.substr(name.size());
}

template <auto Field>
Result<void> set_flag(Loader& loader, Scope& scope, const Directive& d) {
  auto value = loader.flag(d);
  if (!value) return value.error();
  return loader.set_once(scope.own<ClassOf<Field>>().*Field, *value, d);
}

template <auto Field>
Result<void> set_size(Loader& loader, Scope& scope, const Directive& d) {
  auto value = loader.size(d);
  if (!value) return value.error();
  return loader.set_once(scope.own<ClassOf<Field>>().*Field, static_cast<ValueOf<Field>>(*value),
                         d);
}

template <auto Field>
Result<void> set_number(Loader& loader, Scope& scope, const Directive& d) {
  auto value = loader.number(d);
  if (!value) return value.error();
  return loader.set_once(scope.own<ClassOf<Field>>().*Field, static_cast<ValueOf<Field>>(*value),
                         d);
}

template <auto Field>
Result<void> set_duration(Loader& loader, Scope& scope, const Directive& d) {
  auto value = loader.duration(d);
  if (!value) return value.error();
  return loader.set_once(scope.own<ClassOf<Field>>().*Field, *value, d);
}

template <auto Field>
Result<void> set_text(Loader& loader, Scope& scope, const Directive& d) {
  return loader.set_once(scope.own<ClassOf<Field>>().*Field, std::string(d.arg(0)), d);
}

}  // namespace gatescope::conf
