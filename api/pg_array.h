#pragma once

#include <string>
#include <string_view>

#include "api/sequence.h"

namespace gatescope::api {

/// A one-dimensional array as PostgreSQL writes it: {a,"b c",NULL}. Own code because libpqxx's
/// parser changed between its releases and is half as fast. nullopt: it holds a NULL, or is no such
/// array.
std::optional<Terms> parse_pg_array(std::string_view text);

/// The same, to be passed as one text parameter and cast with ::varchar[].
std::string format_pg_array(const Terms& terms);

}  // namespace gatescope::api
