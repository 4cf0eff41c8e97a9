#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/sequence.h"
#include "proxy/base/result.h"

namespace gatescope::api {

/// The state of an entry's file: when it differs, the file has changed. A value.
struct FileStamp {
  std::int64_t mtime = 0;  // nanoseconds since 1970: two pulls may fall into one second
  std::int64_t size = 0;
  bool operator==(const FileStamp&) const = default;
};

/// An entry of oeisdata, as much of it as the API uses. A value.
struct SeqEntry {
  SequenceId id;
  std::string name;                     // %N; empty for a recycled number
  Terms terms;                          // %S %T %U: the first ones only; none for a reserved number
  std::int64_t offset = 0;              // %O: index of the first term
  std::string xrefs;                    // %Y lines behind the id, joined by newlines
  std::vector<std::string> keywords;    // %K; stored as flags()
  std::vector<std::uint32_t> mentions;  // other A-numbers in its text, ascending; not read again
  FileStamp file;                       // what it was read from

  /// What its keywords mean for its rank among others.
  enum Flag : unsigned { kCore = 1, kNice = 2, kDead = 4 };
  unsigned flags() const;
  /// Its terms as an answer, until the b-file comes. Copies.
  Sequence first_terms() const;
};

/// Reads OEIS's internal format (https://oeis.org/eishelp1.html): lines `%X Annnnnn text`. Bytes
/// that are not UTF-8 become U+FFFD: a database takes nothing else. Error Protocol when the text is
/// no such entry, or another sequence's.
Result<SeqEntry> parse_seq_file(SequenceId id, std::string_view text);

}  // namespace gatescope::api
