#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/sequence_id.h"

namespace gatescope::api {

/// What is known of a sequence beside its terms. A value.
struct Metadata {
  std::optional<std::string> name;   // the real one; a placeholder is no name
  std::string xrefs;                 // %Y lines behind the id, joined by newlines
  std::vector<SequenceId> backrefs;  // the entries that mention it, ascending
  /// From an imported tree of oeisdata: nobody knows it better. Else from a row of the old service,
  /// a list of names, or a single entry; it may lack xrefs and backrefs.
  bool imported = false;
};

}  // namespace gatescope::api
