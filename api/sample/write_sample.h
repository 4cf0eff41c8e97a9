#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

#include "api/sample/sequences.h"
#include "proxy/base/result.h"

namespace gatescope::api {

struct SampleReport {
  bool written = false;  // false: the tree was up to date and was left alone
  std::size_t sequences = 0;
  std::size_t terms = 0;  // 0 when nothing was written
  std::size_t bytes = 0;
};

/// Terms of each sequence: what a page of the client asks for, and some.
constexpr std::size_t kSampleTerms = 1000;

/// Makes sure that `dir` holds the sample in the shape of the public repository of the OEIS:
/// dir/seq/A000/A000040.seq and so on, with dir/README and dir/VERSION beside. `dir` and its
/// parents are made when missing.
///
/// A tree whose VERSION is this program's is left alone. Otherwise a new tree is built aside and
/// takes the place of dir/seq in one rename; after an error or a crash there is the old tree or
/// none, never half of one. A dir/seq that is not ours (no VERSION of a sample) is refused: it may
/// be somebody's clone.
///
/// `progress` may be empty; it is called after each sequence.
Result<SampleReport> write_sample(
    const std::filesystem::path& dir,
    const std::function<void(std::size_t done, std::size_t total)>& progress);

/// The entry in OEIS internal format. Unlike there, %U is long: it takes all terms that %S and %T
/// leave.
std::string sample_entry(const SampleSequence& sequence, const SampleTerms& terms);

}  // namespace gatescope::api
