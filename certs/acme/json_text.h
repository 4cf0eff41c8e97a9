#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace gatescope::acme {

/// What is no UTF-8 (an operator's words may be anything) is replaced: dump() alone would throw.
inline std::string to_text(const nlohmann::json& value, int indent = -1) {
  return value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace gatescope::acme
