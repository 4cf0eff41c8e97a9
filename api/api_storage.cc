#include "api/api_storage.h"

#include "api/embedded_postgres.h"
#include "api/instance_id.h"
#include "api/pg_claims.h"
#include "api/pg_completion.h"
#include "api/pg_search.h"
#include "api/pg_store.h"

namespace gatescope::api {

namespace {

// Two: a large row being written does not hold up a small one being read. PostgreSQL allows 12.
constexpr unsigned kDatabaseThreads = 2;

}  // namespace

Storage::Storage(net::Loop& loop, Log& log, const std::string& connection,
                 const std::string& state_dir, Stats* stats) {
  Database* database = nullptr;
  if (connection.empty()) {
    embedded_ = std::make_unique<EmbeddedPostgres>(
        loop, log, EmbeddedPostgresSettings{.state_dir = state_dir}, stats);
    embedded_->start();
    database = embedded_.get();
  } else {
    given_ = std::make_unique<GivenDatabase>(connection);
    database = given_.get();
  }
  const std::string instance = make_instance_id();
  lane_ = std::make_unique<PgLane>(loop, log, *database, kDatabaseThreads, stats);
  store_ = std::make_unique<PgStore>(*lane_, log, instance);
  completion_ = std::make_unique<PgCompletion>(*lane_, instance);
  searches_ = std::make_unique<PgSearchStore>(*lane_);
  claims_ = std::make_unique<PgClaims>(loop, *lane_, instance);
  changes_ = std::make_unique<PgChanges>(loop, log, *database, instance, stats);
}

Storage::~Storage() = default;

std::unique_ptr<EmbeddedPostgres> Storage::take_embedded() {
  return std::move(embedded_);
}

}  // namespace gatescope::api
