#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string_view>

#include "proxy/base/result.h"

namespace gatescope::tls {

/// Replaces `path`: written beside it, synced, renamed, the folder synced. Readers see the old file
/// or the new one, never a part.
Result<void> write_safely(const std::filesystem::path& path, std::string_view text, mode_t mode);

}  // namespace gatescope::tls
