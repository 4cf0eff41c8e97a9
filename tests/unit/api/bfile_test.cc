#include "api/bfile.h"

#include <string>

#include "tests/support/catch.h"

using namespace gatescope::api;

namespace {

/// "shift: term term ..." or the refusal.
std::string read(std::string_view text) {
  const auto parsed = parse_bfile(SequenceId(900006), text);
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) return refusal->text;
  const auto& sequence = std::get<Sequence>(parsed);
  std::string out = std::to_string(sequence.shift) + ":";
  for (std::size_t i = 0; i < sequence.terms.size(); ++i)
    out += " " + std::string(sequence.terms[i]);
  return out;
}

}  // namespace

TEST_CASE("b-files in all the shapes that they come in") {
  const struct {
    const char *what, *text, *expected;
  } kCases[] = {
      {"usual", "1 2\n2 3\n3 5\n", "1: 2 3 5"},
      {"no newline at the end", "0 1\n1 -1", "0: 1 -1"},
      {"comments and blank lines", "# A000040\n\n1 2\n  # more\n\n2 3\n\n\n\n", "1: 2 3"},
      {"CRLF", "1 2\r\n2 3\r\n\r\n", "1: 2 3"},
      {"tabs and many blanks", "1\t2\n  2   3  \n", "1: 2 3"},
      {"further columns", "1 2 # two\n2 3 5 7\n", "1: 2 3"},
      {"out of order", "3 5\n1 2\n2 3\n", "1: 2 3 5"},
      {"a duplicate: the last wins", "1 2\n2 3\n1 7\n", "1: 7 3"},
      {"duplicates side by side", "1 2\n1 4\n2 3\n", "1: 4 3"},
      {"negative indices", "-43 9\n-42 8\n", "-43: 9 8"},
      {"verbatim", "0 +1\n1 007\n2 -0\n", "0: +1 007 -0"},
      {"a byte order mark",
       "\xEF\xBB\xBF"
       "1 2\n",
       "1: 2"},
      {"made up by OEIS", "# A181630 (b-file synthesized from sequence entry)\n1 1\n2 4\n",
       "1: 1 4"},
      {"a signed index", "+1 2\n", "1: 2"},
      {"the largest index", "9223372036854775807 2\n", "9223372036854775807: 2"},
  };
  for (const auto& c : kCases) {
    INFO(c.what);
    CHECK(read(c.text) == c.expected);
  }
  const std::string large(5000, '7');
  CHECK(read("1 " + large + "\n") == "1: " + large);
}

TEST_CASE("b-files that give no answer") {
  const struct {
    const char *text, *refusal;
  } kCases[] = {
      {"1 2\nthis is not a term\n",
       "Error: Unparseable b-file line for ID 'A900006': this is not a term"},
      {"1 2\n  \tthis is not a term\r\n",
       "Error: Unparseable b-file line for ID 'A900006': this is not a term"},
      {"1\n", "Error: Unparseable b-file line for ID 'A900006': 1"},
      {"1 2.5\n", "Error: Unparseable b-file line for ID 'A900006': 1 2.5"},
      {"1 -\n", "Error: Unparseable b-file line for ID 'A900006': 1 -"},
      {"9223372036854775808 1\n",
       "Error: Unparseable b-file line for ID 'A900006': 9223372036854775808 1"},
      {"<html>\n", "Error: Unparseable b-file line for ID 'A900006': <html>"},
      {"", "Error: No terms found for ID 'A900006'."},
      {"# A900006 (b-file synthesized from sequence entry)\n",
       "Error: No terms found for ID 'A900006'."},
      {"1 2\n2 3\n4 7\n", "Error: B-file for ID 'A900006' has no term with index 3."},
      {"-9223372036854775808 1\n9223372036854775807 1\n",
       "Error: B-file for ID 'A900006' has no term with index -9223372036854775807."},
  };
  for (const auto& c : kCases)
    CHECK(read(c.text) == c.refusal);
  const std::string endless = read("1 " + std::string(100'000, 'x'));
  CHECK(endless.size() < 300);
  CHECK(read("1 \xFF\n") == "Error: Unparseable b-file line for ID 'A900006': 1 \xEF\xBF\xBD");
}
