#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "api/sequence.h"

namespace gatescope::api {

/// What the client is told instead of an answer, with status 200: begins with "Error: ".
struct Refusal {
  std::string text;
};

/// Reads a b-file: lines `n a(n)`, blanks or tabs between, LF or CRLF, `#` comments, blank lines,
/// further columns ignored. Any order; of an index that comes twice the last wins; all from the
/// first to the last must be there. A file that OEIS made up from the entry is read like any other.
/// The name is not in it.
std::variant<Sequence, Refusal> parse_bfile(SequenceId id, std::string_view text);

/// An optional sign and digits.
bool is_integer(std::string_view text);

}  // namespace gatescope::api
