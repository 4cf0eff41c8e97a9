#include "api/pg_privileges.h"

#include <fmt/format.h>

#include <string>

#include "api/pg_session.h"

namespace gatescope::api {

namespace {

// What is missing, each as the command that mends it. Identifiers are quoted where they need it.
constexpr const char* kMissing = R"(
  SELECT format('GRANT CREATE ON DATABASE %I TO %I', current_database(), current_user)
    WHERE to_regnamespace('gatescope') IS NULL
      AND NOT has_database_privilege(current_database(), 'CREATE')
  UNION ALL
  SELECT format('GRANT CREATE ON SCHEMA %I TO %I', place, current_user)
    FROM ({}) AS old(place)
    WHERE (to_regclass('sequences') IS NULL OR to_regclass('searches') IS NULL)
      AND NOT has_schema_privilege(place, 'CREATE')
  UNION ALL
  SELECT format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I', name, current_user)
    FROM unnest(ARRAY['sequences', 'searches']) AS name
    WHERE to_regclass(name) IS NOT NULL
      AND NOT (has_table_privilege(to_regclass(name), 'SELECT')
               AND has_table_privilege(to_regclass(name), 'INSERT')
               AND has_table_privilege(to_regclass(name), 'UPDATE')
               AND has_table_privilege(to_regclass(name), 'DELETE'))
  UNION ALL
  SELECT format('GRANT USAGE, CREATE ON SCHEMA gatescope TO %I', current_user)
    FROM pg_namespace WHERE nspname = 'gatescope'
      AND NOT (has_schema_privilege(oid, 'USAGE') AND has_schema_privilege(oid, 'CREATE'))
  UNION ALL
  SELECT format('ALTER TABLE gatescope.%I OWNER TO %I', relname, current_user)
    FROM pg_class
    WHERE relnamespace = to_regnamespace('gatescope') AND relkind = 'r'
      AND NOT pg_has_role(relowner, 'USAGE'))";

}  // namespace

Result<void> check_privileges(pqxx::transaction_base& t) {
  const auto missing = t.exec(fmt::format(kMissing, kSchemaOfOldTables));
  if (missing.empty()) return {};
  std::string commands;
  for (const auto& row : missing)
    commands += (commands.empty() ? "" : "; ") + std::string(text(row[0]));
  const auto who = t.exec("SELECT current_user, current_database()");
  return make_error(
      ErrorKind::Forbidden, Origin::Internal,
      fmt::format("database: the role \"{}\" lacks privileges in \"{}\"; its owner, or a "
                  "superuser, grants them with: psql -d {} -c '{}'",
                  text(who[0][0]), text(who[0][1]), text(who[0][1]), commands));
}

}  // namespace gatescope::api
