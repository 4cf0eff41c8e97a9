#pragma once

#include "proxy/base/lazy_library.h"

namespace gatescope::http {

/// libzstd, loaded when a file is compressed ahead.
LazyLibrary& libzstd();

}  // namespace gatescope::http
