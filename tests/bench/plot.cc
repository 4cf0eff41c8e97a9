#include "tests/bench/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gatescope::bench {

namespace {

// Pixels. The names' width is for the longest one at 13 pixels a letter's height.
constexpr double kNames = 300, kBars = 420, kValues = 60, kRow = 26, kTop = 58, kBottom = 34;

/// Ratios are compared by how many times they are, so 1/2 and 2 are as far from 1.
class Axis {
 public:
  Axis(double least, double most) : low_(std::log(least)), high_(std::log(most)) {}
  double at(double ratio) const {
    return kNames + (std::log(ratio) - low_) / (high_ - low_) * kBars;
  }

 private:
  const double low_, high_;
};

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text)
    out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : std::string(1, c);
  return out;
}

// Colours of text and lines follow the page's scheme where the viewer tells it.
constexpr std::string_view kStyle =
    "text{font:13px system-ui,sans-serif;fill:#24292f}"
    ".small{font-size:11px;fill:#656d76}.title{font-size:15px;font-weight:600}"
    ".grid{stroke:#d0d7de}.one{stroke:#24292f}.range{stroke:#24292f;stroke-width:1.5}"
    ".better{fill:#2a78c8}.worse{fill:#c2571a}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}"
    ".grid{stroke:#3d444d}.one,.range{stroke:#e6edf3}.better{fill:#4493f8}.worse{fill:#e0823d}}";

std::string line(std::string_view kind, double x1, double y1, double x2, double y2) {
  return fmt::format(
      "<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", kind, x1,
      y1, x2, y2);
}

std::string text(std::string_view kind, std::string_view anchor, double x, double y,
                 const std::string& words) {
  return fmt::format("<text class=\"{}\" text-anchor=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
                     kind, anchor, x, y, escaped(words));
}

}  // namespace

std::string ratio_plot(const std::vector<Row>& rows, const std::string& title) {
  double least = 0.8, most = 1.5;
  for (const auto& row : rows) {
    least = std::min(least, row.least * 0.95);
    most = std::max(most, row.most * 1.05);
  }
  const Axis axis(least, most);
  const double width = kNames + kBars + kValues;
  const double bottom = kTop + kRow * static_cast<double>(rows.size());
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" role=\"img\">\n<title>{2}</title>\n<style>{3}</style>\n",
      width, bottom + kBottom, escaped(title), kStyle);
  svg += text("title", "start", 8, 24, title);
  for (const double mark : {0.25, 0.5, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0}) {
    if (mark < least || mark > most) continue;
    const double x = axis.at(mark);
    svg += line(mark == 1.0 ? "one" : "grid", x, kTop - 4, x, bottom);
    svg += text("small", "middle", x, bottom + 16, fmt::format("{:g}", mark));
  }
  double y = kTop;
  for (const auto& row : rows) {
    const double one = axis.at(1), end = axis.at(row.ratio), middle = y + kRow / 2;
    svg += text("", "end", kNames - 12, middle + 4.5, row.name);
    svg += fmt::format(
        "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n",
        end >= one ? "better" : "worse", std::min(one, end), y + 5, std::abs(end - one), kRow - 10);
    if (row.most > row.least)
      svg += line("range", axis.at(row.least), middle, axis.at(row.most), middle);
    svg += text("", "start", std::max({one, end, axis.at(row.most)}) + 8, middle + 4.5,
                fmt::format("{:.2f}", row.ratio));
    y += kRow;
  }
  return svg + "</svg>\n";
}

}  // namespace gatescope::bench
