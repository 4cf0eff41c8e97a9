#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/bench/cost.h"

namespace gatescope::bench {

/// A number of two programs, measured in rounds that take turns: what disturbs one disturbs both.
struct Row {
  std::string name;
  std::string unit;                       // "us", "us/MB", "KB"
  double ours = 0, theirs = 0;            // medians of the rounds
  double ratio = 0, least = 0, most = 0;  // theirs to ours, in each round: median and range
  std::uint64_t failed = 0;               // requests of either
};

/// `scale`: how many units a request has. Every other round begins with the other one.
Row compare(std::string name, std::string unit, double scale, unsigned rounds,
            const std::function<Cost()>& ours, const std::function<Cost()>& theirs);

/// For a terminal, and for a page.
std::string as_line(const Row& row);
std::string as_markdown(const std::vector<Row>& rows, const std::string& their_name);

}  // namespace gatescope::bench
