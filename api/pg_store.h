#pragma once

#include <memory>
#include <string>
#include <utility>

#include "api/pg_lane.h"
#include "api/store.h"

namespace gatescope::api {

/// The table `sequences` of the old service, and our own `gatescope.entry`. What is stored is told
/// to other gatescopes (PgChanges). Owned by ApiModule; the lane outlives it.
class PgStore final : public SequenceStore {
 public:
  /// `instance`: make_instance_id(), or a name that no PgChanges has: all of them hear it.
  PgStore(PgLane& lane, Log& log, std::string instance = "nobody")
      : lane_(lane), log_(log), instance_(std::move(instance)) {}
  std::unique_ptr<Job> load(SequenceId id, Duration within, Loaded done) override;
  void save(std::shared_ptr<const Sequence> sequence) override;
  void save_name(SequenceId id, std::string name) override;
  void save_factors(SequenceId id, std::shared_ptr<const Terms> terms,
                    std::shared_ptr<const Terms> factors) override;
  std::unique_ptr<Job> load_entry(SequenceId id, Duration within, EntryLoaded done) override;
  std::unique_ptr<Job> save_entry(std::shared_ptr<const SeqEntry> entry, Duration within,
                                  EntryLoaded done) override;
  std::unique_ptr<Job> load_metadata(SequenceId id, Duration within, MetadataLoaded done) override;

 private:
  std::unique_ptr<Job> run_entry(SequenceId id, std::shared_ptr<const SeqEntry> store_first,
                                 Duration within, EntryLoaded done);

  PgLane& lane_;
  Log& log_;
  const std::string instance_;
};

}  // namespace gatescope::api
