#pragma once

#include <pqxx/pqxx>

#include "proxy/base/result.h"

namespace gatescope::api {

/// A query for where the old service's tables are made: where the role makes tables anyway, but
/// never in our own schema, which comes first for a role that is called gatescope.
inline constexpr const char* kSchemaOfOldTables =
    "SELECT coalesce((SELECT name FROM unnest(current_schemas(false)) WITH ORDINALITY AS "
    "path(name, "
    "place) WHERE name <> 'gatescope' ORDER BY place LIMIT 1), 'public')";

/// Whether the role may make the tables that are missing and use those that are there. Error
/// Forbidden: what it lacks, as the command that grants it. May throw what libpqxx throws.
Result<void> check_privileges(pqxx::transaction_base& t);

}  // namespace gatescope::api
