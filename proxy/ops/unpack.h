#pragma once

#include <cstdint>
#include <string>

#include "proxy/base/result.h"

namespace gatescope::ops {

/// What a built site may be at most: far more than one is, far less than fills a disk.
struct TreeLimits {
  std::uint64_t bytes = std::uint64_t{4} << 30;
  std::size_t entries = 200'000;
};

/// Unpacks .tar, .tar.gz, .tar.zst, .tar.xz, .tar.bz2 or .zip into an empty folder of ours. Nothing
/// is ever written elsewhere, whatever the archive says: absolute names, "..", links that lead out,
/// devices and more than the limits are refused with the entry's name. Links are made last, so that
/// nothing is written through one.
Result<void> unpack(const std::string& archive, const std::string& folder,
                    const TreeLimits& limits);

/// Of an entry or the target of a link in `folder_of_it`, both relative to the root of a tree: the
/// path without "." and ".."; an error says why it is none below the root.
Result<std::string> path_below(std::string_view name, std::string_view folder_of_it = {});

}  // namespace gatescope::ops
