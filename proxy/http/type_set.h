#pragma once

// Which content types a filter handles: gzip_types, brotli_types, charset_types.

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/text.h"

namespace gatescope::http {

/// The type of "text/html; charset=utf-8" without its parameters.
inline std::string_view bare_type(std::string_view content_type) {
  return trim(content_type.substr(0, content_type.find(';')));
}

class TypeSet {
 public:
  TypeSet() = default;
  TypeSet(std::initializer_list<std::string_view> types) : types_(types.begin(), types.end()) {}
  /// False: it is in already. "*" stands for all.
  bool add(std::string_view type) {
    if (type == "*") return !std::exchange(all_, true);
    if (holds(type)) return all_;
    types_.emplace_back(type);
    return true;
  }
  bool holds(std::string_view content_type) const {
    if (content_type.empty()) return false;
    if (all_) return true;
    const auto type = bare_type(content_type);
    return std::any_of(types_.begin(), types_.end(),
                       [&](const auto& t) { return equals_ignoring_case(t, type); });
  }

 private:
  bool all_ = false;
  std::vector<std::string> types_;
};

}  // namespace gatescope::http
