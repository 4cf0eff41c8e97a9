#include "tests/bench/contest.h"

#include <fmt/format.h>

#include <algorithm>

namespace gatescope::bench {

namespace {

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace

Row compare(std::string name, std::string unit, double scale, unsigned rounds,
            const std::function<Cost()>& ours, const std::function<Cost()>& theirs) {
  Row row{.name = std::move(name), .unit = std::move(unit)};
  std::vector<double> mine, others, ratios;
  const auto take = [&](const std::function<Cost()>& measure, std::vector<double>& values) {
    const Cost cost = measure();
    values.push_back(cost.us / scale);
    row.failed += cost.failed + (cost.requests == 0 ? 1 : 0);
  };
  for (unsigned round = 0; round < rounds; ++round) {
    const bool first = round % 2 == 0;
    take(first ? ours : theirs, first ? mine : others);
    take(first ? theirs : ours, first ? others : mine);
    ratios.push_back(others.back() / mine.back());
  }
  row.ours = median_of(mine);
  row.theirs = median_of(others);
  row.ratio = median_of(ratios);
  row.least = *std::min_element(ratios.begin(), ratios.end());
  row.most = *std::max_element(ratios.begin(), ratios.end());
  return row;
}

std::string as_line(const Row& row) {
  return fmt::format("{:8.1f} {:6} {:8.1f}   x{:.2f} ({:.2f} to {:.2f}){}", row.ours, row.unit,
                     row.theirs, row.ratio, row.least, row.most,
                     row.failed > 0 ? fmt::format("  {} FAILED", row.failed) : "");
}

std::string as_markdown(const std::vector<Row>& rows, const std::string& their_name) {
  std::string text = fmt::format(
      "| | unit | gatescope | {} | ratio | its range |\n|---|---|---|---|---|---|\n", their_name);
  for (const auto& row : rows)
    text += fmt::format(
        "| {} | {} | {:.1f} | {:.1f} | {:.2f} | {} |\n", row.name, row.unit, row.ours, row.theirs,
        row.ratio,
        row.least == row.most ? "" : fmt::format("{:.2f} to {:.2f}", row.least, row.most));
  return text;
}

}  // namespace gatescope::bench
