#pragma once

// Times for people: in logs and in what commands print.

#include <string>

#include "proxy/base/clock.h"

namespace gatescope {

/// "29 days", "5 hours", "3 minutes".
std::string in_words(Duration time);
/// "2026-11-28 21:04:05 UTC".
std::string in_words(WallTime time);

}  // namespace gatescope
