#pragma once

#include <memory>
#include <string>

#include "api/pg_lane.h"
#include "api/store.h"

namespace gatescope::api {

/// The table `sequences` of the old service. Owned by ApiModule; the lane outlives it.
class PgStore final : public SequenceStore {
 public:
  PgStore(PgLane& lane, Log& log) : lane_(lane), log_(log) {}
  std::unique_ptr<Job> load(SequenceId id, Duration within, Loaded done) override;
  void save(std::shared_ptr<const Sequence> sequence) override;
  void save_name(SequenceId id, std::string name) override;

 private:
  PgLane& lane_;
  Log& log_;
};

}  // namespace gatescope::api
