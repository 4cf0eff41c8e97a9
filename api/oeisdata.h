#pragma once

#include <sys/stat.h>

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

FileStamp stamp_of(const struct stat& info);

/// The same for the file `name` in the open folder `folder`; `path` names it in errors. Error
/// NotFound: there is none.
Result<std::optional<SeqEntry>> read_entry_file(int folder, const char* name,
                                                const std::string& path, SequenceId id,
                                                std::optional<FileStamp> known);

}  // namespace gatescope::api
