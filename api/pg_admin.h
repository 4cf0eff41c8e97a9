#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proxy/base/result.h"

namespace gatescope::api {

/// What `gatescope db status` shows.
struct DatabaseStatus {
  std::string database, user, server_version, encoding;
  bool standby = false;
  int schema_version = 0;  // 0: nothing of ours is there
  int newest_version = 0;  // what this program knows
  std::int64_t bytes = 0;
  struct Table {
    std::string name;
    std::int64_t rows = 0, bytes = 0;
  };
  std::vector<Table> tables;  // the old service's that are there, and our own
  std::int64_t claims = 0, expired_claims = 0;
  std::int64_t stuck = 0;  // values_requested, and no values
  std::int64_t connections = 0, max_connections = 0;
};

// What an administrator does with a database, blocking. `where`: libpq's keywords or URI. Errors
// say how to mend it where that is known. A gatescope that runs on it notices (ChangeEvents).

/// Changes nothing.
Result<DatabaseStatus> database_status(const std::string& where);
/// Makes or updates the tables, as a server does when it starts.
Result<void> init_database(const std::string& where);
/// Empties the tables of the old service (but its users and its alembic_version) and our own.
Result<void> clear_database(const std::string& where);
/// Drops the same tables, with everything in them, and makes them again.
Result<void> reset_database(const std::string& where);

}  // namespace gatescope::api
