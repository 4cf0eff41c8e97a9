#pragma once

#include <string_view>

namespace gatescope::server {

/// What this binary is, as CMake knew it.
std::string_view version();  // "0.1.0"
std::string_view commit();   // "a1b2c3d", "unknown"

}  // namespace gatescope::server
