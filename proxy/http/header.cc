#include "proxy/http/header.h"

#include <algorithm>

namespace gatescope::http {

bool list_has_token(std::string_view list, std::string_view token) {
  for (;;) {
    const std::size_t comma = list.find(',');
    if (equals_ignoring_case(trim(list.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

void HeaderList::set(std::string_view name, std::string_view value) {
  const auto is_named = [&](const HeaderField& f) { return equals_ignoring_case(f.name, name); };
  const auto first = std::find_if(fields_.begin(), fields_.end(), is_named);
  if (first == fields_.end()) return add(name, value);
  *first = {name, value};
  fields_.erase(std::remove_if(first + 1, fields_.end(), is_named), fields_.end());
}

void HeaderList::remove(std::string_view name) {
  const auto is_named = [&](const HeaderField& f) { return equals_ignoring_case(f.name, name); };
  fields_.erase(std::remove_if(fields_.begin(), fields_.end(), is_named), fields_.end());
}

std::size_t HeaderList::count(std::string_view name) const {
  const auto is_named = [&](const HeaderField& f) { return equals_ignoring_case(f.name, name); };
  return static_cast<std::size_t>(std::count_if(fields_.begin(), fields_.end(), is_named));
}

bool HeaderList::has_token(std::string_view name, std::string_view token) const {
  return std::any_of(fields_.begin(), fields_.end(), [&](const HeaderField& f) {
    return equals_ignoring_case(f.name, name) && list_has_token(f.value, token);
  });
}

NamedByConnection::NamedByConnection(const HeaderList& all) : all_(all) {
  for (const auto& f : all)
    if (equals_ignoring_case(f.name, "Connection") &&
        !equals_ignoring_case(f.value, "keep-alive") && !equals_ignoring_case(f.value, "close"))
      names_fields_ = true;
}

}  // namespace gatescope::http
