#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/sequence_id.h"

namespace gatescope::api {

/// The name of `id` in a search answer of OEIS, in any of the forms that it has had: a bare list of
/// records, {"results": list or null}, a single record, null. nullopt: it is not in there.
std::optional<std::string> name_in_search(SequenceId id, std::string_view json);

}  // namespace gatescope::api
