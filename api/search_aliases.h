#pragma once

#include <cstdint>
#include <string_view>

namespace gatescope::api {

/// What else a well-known sequence is called, in words that its name does not have; parts are
/// separated by semicolons. Empty for all others.
std::string_view aliases_of(std::uint32_t number);

}  // namespace gatescope::api
