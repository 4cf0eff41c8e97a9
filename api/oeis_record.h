#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/sequence_id.h"
#include "proxy/base/result.h"

namespace gatescope::api {

/// What is used of a record of OEIS.
struct OeisRecord {
  SequenceId id;
  std::string name;   // never empty
  std::string xrefs;  // its cross references, a line each, as metadata has them
};

/// The records in a search answer of OEIS, in its order, in any of the forms that it has had: a
/// bare list, {"results": list or null, ...}, a single record, null (none found, or too many).
/// Records without number or name are left out. Error Invalid: it is nothing of that.
Result<std::vector<OeisRecord>> parse_search(std::string_view json);

/// The record of `id` in there; nullopt: it is not, or the answer cannot be read.
std::optional<OeisRecord> record_in_search(SequenceId id, std::string_view json);
std::optional<std::string> name_in_search(SequenceId id, std::string_view json);

}  // namespace gatescope::api
