#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/sequence.h"

namespace gatescope::api {

/// A one-dimensional array as PostgreSQL writes it: {a,"b c",NULL}. Own code because libpqxx's
/// parser changed between its releases and is half as fast. nullopt: it holds a NULL, or is no such
/// array.
std::optional<Terms> parse_pg_array(std::string_view text);

/// The same, to be passed as one text parameter and cast with ::varchar[].
std::string format_pg_array(const Terms& terms);

/// The same of numbers that are not negative, without quotes: {10,45}. What is none is left out.
std::vector<std::uint32_t> parse_pg_numbers(std::string_view text);
std::string format_pg_numbers(const std::vector<std::uint32_t>& numbers);

}  // namespace gatescope::api
