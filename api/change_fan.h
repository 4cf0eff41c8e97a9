#pragma once

#include "api/changes.h"
#include "api/search_service.h"
#include "api/sequence_service.h"

namespace gatescope::api {

/// Tells answers and search what others changed in the database, and answers what search has
/// renewed. Owned by ApiModule beside both, on loop 0.
class ChangeFan final : public ChangeEvents, public SearchEvents {
 public:
  ChangeFan(SequenceService& answers, SearchService& search) : answers_(answers), search_(search) {}
  void on_changed(SequenceId id) override { answers_.on_changed(id); }
  void on_imported() override {
    answers_.on_imported();
    search_.renew();
  }
  void on_changes_missed() override {
    answers_.on_changes_missed();
    search_.renew_if_changed();  // an import may have been missed
  }
  void on_search_renewed() override { answers_.expire_searches(); }

 private:
  SequenceService& answers_;
  SearchService& search_;
};

}  // namespace gatescope::api
