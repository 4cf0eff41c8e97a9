#pragma once

#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace gatescope::http {

/// zstd, all at once, for files that are compressed ahead: `level` 1..19. For any thread; takes up
/// to 100 MB for as long as it runs. The library is loaded when it is first called. Error
/// Unavailable: there is none.
Result<std::string> zstd_whole(std::string_view plain, int level);

}  // namespace gatescope::http
