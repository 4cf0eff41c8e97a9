#pragma once

#include <cstdint>
#include <string>

namespace gatescope::bench {

/// Writes `count` made-up entries, A000001 and on, to folder/seq in the shape and size of a clone
/// of oeis/oeisdata; the same ones each time. Returns the exit status.
int make_tree(const std::string& folder, std::uint32_t count);

}  // namespace gatescope::bench
