#include "api/search_typing.h"

#include <algorithm>

namespace gatescope::api {

bool one_edit(std::string_view typed, std::string_view meant, bool begins) {
  const auto differ = static_cast<std::size_t>(
      std::mismatch(typed.begin(), typed.end(), meant.begin(), meant.end()).first - typed.begin());
  const auto a = typed.substr(differ);
  const auto b = meant.substr(differ);
  const auto goes_on = [begins](std::string_view typed_rest, std::string_view meant_rest) {
    return begins ? meant_rest.starts_with(typed_rest) : meant_rest == typed_rest;
  };
  if (a.empty()) return !begins && b.size() == 1;
  if (goes_on(a.substr(1), b)) return true;  // one too many
  if (b.empty()) return false;
  if (goes_on(a, b.substr(1))) return true;            // one is missing
  if (goes_on(a.substr(1), b.substr(1))) return true;  // another one
  return a.size() > 1 && b.size() > 1 && a[0] == b[1] && a[1] == b[0] &&
         goes_on(a.substr(2), b.substr(2));
}

bool same_but_doubled(std::string_view typed, std::string_view meant, bool begins) {
  const auto take_letter = [](std::string_view& word) {
    const bool doubled = word.size() > 1 && word[1] == word[0];
    word.remove_prefix(doubled ? 2 : 1);
  };
  while (!typed.empty() && !meant.empty() && typed[0] == meant[0]) {
    take_letter(typed);
    take_letter(meant);
  }
  return typed.empty() && (begins || meant.empty());
}

}  // namespace gatescope::api
