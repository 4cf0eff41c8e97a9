#pragma once

#include <memory>
#include <string>
#include <utility>

#include "api/completion_store.h"
#include "api/pg_lane.h"

namespace gatescope::api {

/// The table gatescope.completion, and cross references in the old service's `sequences`. Owned by
/// ApiModule; the lane outlives it.
class PgCompletion final : public CompletionStore {
 public:
  /// `instance`: make_instance_id(), or a name that no PgChanges has: all of them hear it.
  explicit PgCompletion(PgLane& lane, std::string instance = "nobody")
      : lane_(lane), instance_(std::move(instance)) {}
  void wish(SequenceId id) override;
  std::unique_ptr<Job> note(SequenceId id, Duration within, Noted done) override;
  std::unique_ptr<Job> list(std::size_t most, Duration within, Listed done) override;
  void note_completed(SequenceId id) override;
  void save_xrefs(SequenceId id, std::string xrefs) override;

 private:
  PgLane& lane_;
  const std::string instance_;
};

}  // namespace gatescope::api
