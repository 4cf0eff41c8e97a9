#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/pg_lane.h"
#include "api/search_store.h"

namespace gatescope::api {

/// The entries of gatescope.entry, and the table `searches` of the old service. Owned by ApiModule;
/// the lane outlives it.
class PgSearchStore final : public SearchStore {
 public:
  explicit PgSearchStore(PgLane& lane) : lane_(lane) {}
  std::unique_ptr<Job> load_entries(std::uint32_t after, std::size_t most, Duration within,
                                    EntriesLoaded done) override;
  std::unique_ptr<Job> load_stamp(Duration within, StampLoaded done) override;
  std::unique_ptr<Job> load_search(const std::string& term, Duration within,
                                   SearchLoaded done) override;
  void save_search(std::string term, std::vector<FoundSequence> found) override;

 private:
  PgLane& lane_;
};

}  // namespace gatescope::api
