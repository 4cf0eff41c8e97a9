#pragma once

#include <string>
#include <vector>

#include "tests/bench/contest.h"

namespace gatescope::bench {

/// The ratios as bars from 1 on, in SVG that is readable on a light and on a dark page.
std::string ratio_plot(const std::vector<Row>& rows, const std::string& title);

}  // namespace gatescope::bench
