#pragma once

#include <optional>
#include <string>

#include "api/seq_file.h"
#include "proxy/base/result.h"

namespace gatescope::api {

/// Reads the entry of `id` from a clone of oeis/oeisdata in `folder` (folder/seq/A000/A000040.seq).
/// Blocking: for a worker. nullopt: nothing new, that is, the clone has no such entry, or its file
/// is the one that is `known`.
Result<std::optional<SeqEntry>> read_oeisdata(const std::string& folder, SequenceId id,
                                              std::optional<FileStamp> known);

}  // namespace gatescope::api
