#pragma once

#include "proxy/base/lazy_library.h"

namespace gatescope::net {

/// libcurl, loaded when an HttpsClient is made.
LazyLibrary& libcurl();

}  // namespace gatescope::net
