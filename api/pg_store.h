#pragma once

#include <memory>
#include <string>

#include "api/pg_lane.h"
#include "api/store.h"

namespace gatescope::api {

/// The table `sequences` of the old service, and our own `gatescope.entry`. Owned by ApiModule; the
/// lane outlives it.
class PgStore final : public SequenceStore {
 public:
  PgStore(PgLane& lane, Log& log) : lane_(lane), log_(log) {}
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
};

}  // namespace gatescope::api
