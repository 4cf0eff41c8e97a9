#pragma once

#include "proxy/base/lazy_library.h"

namespace gatescope::api {

/// libpq, loaded with the first connection. libpqxx is part of the program.
LazyLibrary& libpq();

}  // namespace gatescope::api
