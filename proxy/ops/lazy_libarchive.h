#pragma once

#include "proxy/base/lazy_library.h"

namespace gatescope::ops {

/// libarchive, loaded when an archive is unpacked: it brings a dozen libraries that no server
/// needs.
LazyLibrary& libarchive();

}  // namespace gatescope::ops
