#include "api/bfile.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "api/utf8.h"
#include "proxy/base/text.h"

namespace gatescope::api {

namespace {

struct Line {
  std::int64_t index;
  std::string_view term;
};

constexpr std::string_view kBlanks = " \t\r\v\f";

std::string_view strip(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string_view take_word(std::string_view& text) {
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  const auto end = std::min(text.find_first_of(kBlanks, begin), text.size());
  const auto word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

std::optional<Line> parse_line(std::string_view line) {
  std::string_view number = take_word(line);
  if (number.starts_with('+')) number.remove_prefix(1);
  const auto index = parse_signed(number);
  const auto term = take_word(line);
  if (!index || !is_integer(term)) return std::nullopt;
  return Line{*index, term};
}

/// Puts lines into order; the last of several with one index stays.
void sort_lines(std::vector<Line>& lines) {
  const auto earlier = [](const Line& a, const Line& b) { return a.index < b.index; };
  const auto not_before = [](const Line& a, const Line& b) { return a.index >= b.index; };
  if (std::adjacent_find(lines.begin(), lines.end(), not_before) == lines.end()) return;  // usual
  std::stable_sort(lines.begin(), lines.end(), earlier);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i + 1 < lines.size() && lines[i + 1].index == lines[i].index) continue;
    lines[kept++] = lines[i];
  }
  lines.resize(kept);
}

Refusal unparseable(SequenceId id, std::string_view line) {
  constexpr std::size_t kShown = 200;  // a line may have a megabyte
  std::string shown = valid_utf8(line.substr(0, kShown));
  if (line.size() > kShown) shown += "...";
  return {fmt::format("Error: Unparseable b-file line for ID '{}': {}", id.text(), shown)};
}

}  // namespace

bool is_integer(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

std::variant<Sequence, Refusal> parse_bfile(SequenceId id, std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<Line> lines;
  std::size_t bytes = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = strip(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const auto parsed = parse_line(line);
    if (!parsed) return unparseable(id, line);
    lines.push_back(*parsed);
    bytes += parsed->term.size();
  }
  if (lines.empty()) return Refusal{fmt::format("Error: No terms found for ID '{}'.", id.text())};
  sort_lines(lines);

  Sequence sequence{.id = id, .shift = lines.front().index};
  sequence.terms.reserve(lines.size(), bytes);
  std::int64_t expected = lines.front().index;
  for (const Line& line : lines) {
    if (line.index != expected) {
      return Refusal{
          fmt::format("Error: B-file for ID '{}' has no term with index {}.", id.text(), expected)};
    }
    sequence.terms.add(line.term);
    // The last representable index has no successor; nothing can follow it either.
    if (expected != INT64_MAX) ++expected;
  }
  return sequence;
}

}  // namespace gatescope::api
