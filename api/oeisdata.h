#pragma once

#include <optional>
#include <string>

#include "api/seq_file.h"
#include "proxy/base/result.h"

namespace gatescope::api {

/// Reads the entry of `id` from a clone of oeis/oeisdata in `folder` (folder/seq/A000/A000040.seq).
/// Blocking: for a worker. nullopt: the clone has no such entry.
Result<std::optional<SeqEntry>> read_oeisdata(const std::string& folder, SequenceId id);

}  // namespace gatescope::api
