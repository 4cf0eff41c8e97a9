#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/sequence_id.h"
#include "api/store.h"
#include "proxy/base/result.h"

namespace gatescope::api {

/// Asked for by whoever answers about a sequence.
class Completing {
 public:
  virtual ~Completing() = default;
  /// Somebody was answered about this one: the rest of it is to be obtained. Cheap when it has
  /// been.
  virtual void wish(SequenceId id) = 0;
  /// An import, a clear or a reset: what has been completed may not be so any more.
  virtual void forget() = 0;
};

/// Which sequences are to be completed, kept over restarts. On the loop's thread; errors and Job as
/// of SequenceStore.
class CompletionStore {
 public:
  using Job = SequenceStore::Job;
  using Noted = std::function<void(Result<bool>)>;
  using Listed = std::function<void(Result<std::vector<SequenceId>>)>;

  virtual ~CompletionStore() = default;
  /// Remembers that this one is to be completed, unless it has been.
  virtual void wish(SequenceId id) = 0;
  /// The same, and tells: false, it has been.
  virtual std::unique_ptr<Job> note(SequenceId id, Duration within, Noted done) = 0;
  /// Those that have not been, the newest first.
  virtual std::unique_ptr<Job> list(std::size_t most, Duration within, Listed done) = 0;
  virtual void note_completed(SequenceId id) = 0;
  /// Cross references of a sequence whose terms are stored, unless it has some. The references to
  /// it are not known then: those only an import brings.
  virtual void save_xrefs(SequenceId id, std::string xrefs) = 0;
};

}  // namespace gatescope::api
