#pragma once

#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace gatescope::ops {

/// StatusReport::json() as one screen for people: 80 columns, about 20 lines. Whatever an older or
/// newer program leaves out is left out. Error: that is no such JSON.
Result<std::string> status_screen(std::string_view json, bool colours);

}  // namespace gatescope::ops
