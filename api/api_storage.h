#pragma once

#include <memory>
#include <string>

#include "api/claims.h"
#include "api/completion_store.h"
#include "api/pg_changes.h"
#include "api/pg_lane.h"
#include "api/search_store.h"
#include "api/store.h"

namespace gatescope::api {

class EmbeddedPostgres;

/// The database that a configuration names, and what speaks with it. Owned by ApiModule; on the
/// loop's thread. Everything handed in outlives it.
class Storage {
 public:
  /// `connection`: empty: a server of our own in `state_dir`, which is started.
  Storage(net::Loop& loop, Log& log, const std::string& connection, const std::string& state_dir,
          Stats* stats);
  ~Storage();

  SequenceStore& store() { return *store_; }
  CompletionStore& completion() { return *completion_; }
  SearchStore& searches() { return *searches_; }
  Claims& claims() { return *claims_; }
  Changes& changes() { return *changes_; }
  PgLane& lane() { return *lane_; }
  /// Null: the database is another's. Nothing may be asked of this any more: it is to be destroyed
  /// before the server is stopped.
  std::unique_ptr<EmbeddedPostgres> take_embedded();

 private:
  // In the order of need, so destroyed in the reverse.
  std::unique_ptr<EmbeddedPostgres> embedded_;
  std::unique_ptr<Database> given_;
  std::unique_ptr<PgLane> lane_;
  std::unique_ptr<SequenceStore> store_;
  std::unique_ptr<CompletionStore> completion_;
  std::unique_ptr<SearchStore> searches_;
  std::unique_ptr<Claims> claims_;
  std::unique_ptr<PgChanges> changes_;
};

}  // namespace gatescope::api
