#include "api/pg_admin.h"

#include <functional>
#include <memory>

#include "api/pg_connection.h"
#include "api/pg_notify.h"
#include "api/pg_schema.h"
#include "api/pg_session.h"

namespace gatescope::api {

namespace {

// A server that works holds its locks for milliseconds.
constexpr const char* kLockTimeout = "SET LOCAL lock_timeout = '20s'";
constexpr int kTries = 3;  // of what a running server may get into a deadlock with

constexpr const char* kOurTables = R"(
    SELECT c.oid::regclass::text, c.relname, pg_total_relation_size(c.oid),
           CASE WHEN n.nspname = 'gatescope' THEN 'gatescope.' ELSE '' END || c.relname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND (n.nspname = 'gatescope'
          OR c.oid IN (to_regclass('sequences'), to_regclass('searches')))
    ORDER BY n.nspname = 'gatescope', c.relname DESC)";

std::int64_t number(pqxx::transaction_base& t, const std::string& query) {
  return t.exec(query)[0][0].as<std::int64_t>();
}

bool there(pqxx::transaction_base& t, const std::string& table) {
  return !t.exec("SELECT to_regclass(" + t.quote(table) + ")")[0][0].is_null();
}

void read_status(pqxx::connection& connection, DatabaseStatus& status) {
  pqxx::nontransaction t(connection);
  const auto about = t.exec(
      "SELECT current_database(), current_user, current_setting('server_version'), "
      "current_setting('server_encoding'), pg_is_in_recovery(), "
      "pg_database_size(current_database()), current_setting('max_connections'), "
      "(SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
      "application_name = 'gatescope')");
  status.database = text(about[0][0]);
  status.user = text(about[0][1]);
  status.server_version = text(about[0][2]);
  status.encoding = text(about[0][3]);
  status.standby = about[0][4].as<bool>();
  status.bytes = about[0][5].as<std::int64_t>();
  status.max_connections = about[0][6].as<std::int64_t>();
  status.connections = about[0][7].as<std::int64_t>() - 1;  // this one
  status.newest_version = newest_schema_version();
  if (there(t, "gatescope.version")) {
    status.schema_version =
        static_cast<int>(number(t, "SELECT coalesce(max(number), 0) FROM gatescope.version"));
  }
  for (const auto& row : t.exec(kOurTables)) {
    if (text(row[1]) == "version") continue;
    status.tables.push_back({.name = std::string(text(row[3])),
                             .rows = number(t, "SELECT count(*) FROM " + row[0].as<std::string>()),
                             .bytes = row[2].as<std::int64_t>()});
  }
  if (there(t, "gatescope.claim")) {
    status.claims = number(t, "SELECT count(*) FROM gatescope.claim");
    status.expired_claims =
        number(t, "SELECT count(*) FROM gatescope.claim WHERE until < clock_timestamp()");
  }
  if (there(t, "sequences")) {
    // Large values are not unpacked for it.
    status.stuck = number(t, R"(
        SELECT count(*) FROM sequences WHERE values_requested
          AND CASE WHEN "values" IS NULL THEN true
                   WHEN pg_column_size("values") > 64 THEN false
                   ELSE cardinality("values") = 0 END)");
  }
}

void clear(pqxx::work& t) {
  for (const auto& row : t.exec(kOurTables)) {
    if (text(row[1]) == "version") continue;
    const auto name = row[0].as<std::string>();
    // Who may only delete can do it, too.
    const bool may_truncate =
        t.exec("SELECT has_table_privilege(" + t.quote(name) + ", 'TRUNCATE')")[0][0].as<bool>();
    t.exec((may_truncate ? "TRUNCATE " : "DELETE FROM ") + name);
  }
}

/// In one transaction, so that a server beside it finds all or nothing.
Result<void> change(const std::string& where,
                    const std::function<Result<void>(pqxx::work&)>& what) {
  auto connection = open_connection(where);
  if (!connection) return connection.error();
  for (int tries = 1;; ++tries) {
    try {
      pqxx::work t(**connection);
      t.exec(kLockTimeout);
      lock_schema(t);
      if (auto changed = what(t); !changed) return changed;
      notify_imported(t, kCommandSender);
      t.commit();
      return {};
    } catch (const pqxx::deadlock_detected& e) {
      if (tries == kTries) return database_error(e);
    } catch (const std::exception& e) {
      return database_error(e);
    }
  }
}

}  // namespace

Result<DatabaseStatus> database_status(const std::string& where) {
  auto connection = open_connection(where, Access::Any);
  if (!connection) return connection.error();
  try {
    DatabaseStatus status;
    read_status(**connection, status);
    return status;
  } catch (const std::exception& e) {
    return database_error(e);
  }
}

Result<void> init_database(const std::string& where) {
  auto connection = open_connection(where);
  if (!connection) return connection.error();
  try {
    return prepare_database(**connection);
  } catch (const std::exception& e) {
    return database_error(e);
  }
}

Result<void> clear_database(const std::string& where) {
  return change(where, [](pqxx::work& t) -> Result<void> {
    clear(t);
    return {};
  });
}

Result<void> reset_database(const std::string& where) {
  return change(where, [](pqxx::work& t) -> Result<void> {
    t.exec("SET LOCAL client_min_messages = warning");
    t.exec("DROP SCHEMA IF EXISTS gatescope CASCADE");
    t.exec("DROP TABLE IF EXISTS sequences, searches");
    return make_tables(t);
  });
}

}  // namespace gatescope::api
