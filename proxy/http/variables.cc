#include "proxy/http/variables.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/base/text.h"

namespace gatescope::http {

namespace {

/// Names that a prefix would give a value to as well, but that nginx has of its own: they cannot be
/// set.
bool is_reserved(std::string_view name) {
  constexpr std::string_view kNames[] = {"http_host",
                                         "http_user_agent",
                                         "http_referer",
                                         "http_via",
                                         "http_x_forwarded_for",
                                         "http_cookie",
                                         "sent_http_content_type",
                                         "sent_http_content_length",
                                         "sent_http_location",
                                         "sent_http_last_modified",
                                         "sent_http_connection",
                                         "sent_http_keep_alive",
                                         "sent_http_cache_control",
                                         "sent_http_transfer_encoding",
                                         "sent_http_link"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

}  // namespace

void VariableTable::add(std::span<const VariableSpec> table) {
  for (const auto& spec : table)
    (spec.prefix ? prefixes_ : exact_).push_back(spec);
}

Result<conf::VariableId> VariableTable::define(std::string_view name) {
  auto id = find(name);
  if (!id) return id;
  auto& entry = entries_[*id];
  if (entry.set || entry.made || entry.slot) {
    entry.undefined = false;
    return id;
  }
  if (!entry.prefix || is_reserved(entry.name))
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      fmt::format("the duplicate \"{}\" variable", entry.name));
  entry.slot = true;
  return id;
}

Result<conf::VariableId> VariableTable::define(std::string_view name,
                                               std::unique_ptr<MadeVariable> made, bool cached) {
  auto id = define(name);
  if (!id) return id;
  auto& entry = entries_[*id];
  if (entry.set)
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      fmt::format("the duplicate \"{}\" variable", entry.name));
  entry.made = made.get();
  entry.cached = cached;
  made_.push_back(std::move(made));
  return id;
}

Result<conf::VariableId> VariableTable::find(std::string_view written) {
  const std::string name = lower(written);
  if (auto it = by_name_.find(name); it != by_name_.end()) return it->second;
  Entry entry{.name = name};
  if (name.size() == 1 && name[0] >= '1' && name[0] <= '9') {
    entry.capture = name[0] - '0';
  } else {
    for (const auto& spec : exact_)
      if (spec.name == name) {
        entry.get = spec.get;
        entry.set = spec.set;
        entry.cached = spec.cached;
      }
    for (const auto& spec : prefixes_)
      if (!entry.get && name.starts_with(spec.name)) {
        entry.get = spec.get;
        entry.prefix = true;
        entry.data = name.substr(spec.name.size());
      }
  }
  if (!entry.get && entry.capture < 0) {
    entry.slot = true;  // it may be a capture or a `set` that is written further down
    entry.undefined = true;
  }
  const auto id = static_cast<conf::VariableId>(entries_.size());
  entries_.push_back(std::move(entry));
  by_name_[name] = id;
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
