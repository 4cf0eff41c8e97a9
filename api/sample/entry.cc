// The OEIS's internal format: lines "%X A000040 text".

#include <string>
#include <string_view>

#include "api/sample/write_sample.h"

namespace gatescope::api {

namespace {

/// The revision that %I shows. Fixed, so that two builds write the same bytes.
constexpr std::string_view kRevision = "#1 Jan 01 2026 00:00:00";

/// The width of the terms in %S and %T.
constexpr std::size_t kWidth = 70;

/// Takes terms off `rest` up to the last comma within kWidth, but one at least. The comma stays
/// with the line: it says that another line follows.
std::string_view take_line(std::string_view& rest) {
  std::size_t end = rest.size();
  if (rest.size() > kWidth) {
    std::size_t comma = rest.rfind(',', kWidth - 1);
    if (comma == std::string_view::npos) comma = rest.find(',');
    if (comma != std::string_view::npos) end = comma + 1;
  }
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end);
  return line;
}

}  // namespace

std::string sample_entry(const SampleSequence& sequence, const SampleTerms& terms) {
  const std::string id = sample_id(sequence.number);
  std::string entry;
  auto line = [&entry, &id](char tag, std::string_view text) {
    entry.append({'%', tag, ' '}).append(id).append(" ").append(text).append("\n");
  };

  std::string joined;
  for (const mpz_class& term : terms)
    joined.append(joined.empty() ? "" : ",").append(term.get_str());

  line('I', kRevision);
  std::string_view rest = joined;
  line('S', take_line(rest));
  if (!rest.empty()) line('T', take_line(rest));
  if (!rest.empty()) line('U', rest);
  line('N', sequence.name);
  line('Y', sequence.related);
  line('K', sequence.keywords);
  line('O',
       std::to_string(sequence.first_index) + "," + std::to_string(first_large_position(terms)));
  line('A', "gatescope");
  return entry;
}

}  // namespace gatescope::api
