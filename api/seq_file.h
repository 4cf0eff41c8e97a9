#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/sequence.h"
#include "proxy/base/result.h"

namespace gatescope::api {

/// An entry of oeisdata, as much of it as the API uses. A value.
struct SeqEntry {
  SequenceId id;
  std::string name;                   // %N; empty for a recycled number
  Terms terms;                        // %S %T %U: the first ones only; none for a reserved number
  std::int64_t offset = 0;            // %O: index of the first term
  std::string xrefs;                  // %Y lines behind the id, joined by newlines
  std::vector<std::string> keywords;  // %K

  /// Its terms as an answer, until the b-file comes. Copies.
  Sequence first_terms() const;
};

/// Reads OEIS's internal format (https://oeis.org/eishelp1.html): lines `%X Annnnnn text`. Error
/// Protocol when the text is no such entry, or another sequence's.
Result<SeqEntry> parse_seq_file(SequenceId id, std::string_view text);

}  // namespace gatescope::api
