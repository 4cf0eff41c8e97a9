#include "proxy/http/variables.h"

#include <fmt/format.h>

#include "proxy/base/text.h"

namespace gatescope::http {

void VariableTable::add(std::span<const VariableSpec> table) {
  for (const auto& spec : table)
    (spec.prefix ? prefixes_ : exact_).push_back(spec);
}

Result<conf::VariableId> VariableTable::define(std::string_view name) {
  if (auto it = by_name_.find(std::string(name));
      it != by_name_.end() && entries_[it->second].slot) {
    entries_[it->second].undefined = false;
    return it->second;
  }
  for (const auto& spec : exact_)
    if (spec.name == name && !spec.changeable)
      return make_error(ErrorKind::Invalid, Origin::Internal,
                        fmt::format("the duplicate \"{}\" variable", name));
  // $args may be set: the getter stays, setting goes to the request (Exchange::set_value).
  for (const auto& spec : exact_)
    if (spec.name == name) return find(name);
  const auto id = static_cast<conf::VariableId>(entries_.size());
  entries_.push_back({.name = std::string(name), .slot = true});
  by_name_[std::string(name)] = id;
  return id;
}

Result<conf::VariableId> VariableTable::find(std::string_view name) {
  if (auto it = by_name_.find(std::string(name)); it != by_name_.end()) return it->second;
  Entry entry{.name = std::string(name)};
  if (name.size() == 1 && name[0] >= '0' && name[0] <= '9') {
    entry.capture = name[0] - '0';
  } else {
    for (const auto& spec : exact_)
      if (spec.name == name) entry.get = spec.get;
    for (const auto& spec : prefixes_)
      if (!entry.get && name.starts_with(spec.name)) {
        entry.get = spec.get;
        entry.data = lower(name.substr(spec.name.size()));
      }
  }
  if (!entry.get && entry.capture < 0) {
    entry.slot = true;  // it may be a capture or a `set` that is written further down
    entry.undefined = true;
  }
  const auto id = static_cast<conf::VariableId>(entries_.size());
  entries_.push_back(std::move(entry));
  by_name_[std::string(name)] = id;
  return id;
}

std::optional<VariableTable::Unknown> VariableTable::first_unknown() const {
  for (const auto& entry : entries_) {
    if (!entry.undefined) continue;
    std::vector<std::string_view> known;
    for (const auto& spec : exact_)
      known.push_back(spec.name);
    for (const auto& e : entries_)
      if (!e.undefined) known.push_back(e.name);
    const auto near = nearest_word(entry.name, known);
    return Unknown{entry.name, near ? fmt::format("unknown \"{}\" variable, did you mean \"${}\"?",
                                                  entry.name, *near)
                                    : fmt::format("unknown \"{}\" variable", entry.name)};
  }
  return std::nullopt;
}

}  // namespace gatescope::http
