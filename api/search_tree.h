#pragma once

#include <atomic>
#include <cstddef>
#include <string>

#include "api/search_index.h"

namespace gatescope::api {

/// Reads a small clone of oeis/oeisdata for the index: the sample that comes with the program is
/// searched without having been imported. A large one must be: it would have to be read again at
/// every start. Blocking: for a worker. A value that collects what was to be said.
struct TreeEntries {
  static constexpr std::size_t kMost = 10'000;

  /// Nothing is added when the tree has more than kMost entries.
  void add_to(SearchIndex::Builder& builder, const std::string& folder,
              const std::atomic<bool>& stop);
  std::string problem;  // for the log; empty: none
};

}  // namespace gatescope::api
