#include "api/pg_schema.h"

#include <fmt/format.h>

#include <string>

#include "api/pg_session.h"

namespace gatescope::api {

namespace {

// Any number that nobody else uses: "gate" in ASCII.
constexpr const char* kLock = "SELECT pg_advisory_xact_lock(1734440037)";

// The old service made these (SQLAlchemy), and must be able to work with them again.
constexpr const char* kOldTables[] = {
    R"(CREATE TABLE IF NOT EXISTS sequences (
         id varchar PRIMARY KEY, name varchar, shift integer NOT NULL DEFAULT 0,
         "values" varchar[], values_requested boolean NOT NULL DEFAULT false,
         raw_refs varchar, backrefs varchar[], ref_count integer,
         meta_req_time bigint, factors varchar[]))",
    R"(CREATE TABLE IF NOT EXISTS searches (
         term varchar PRIMARY KEY, ids varchar[], names varchar[]))",
};

// Each brings gatescope.version to its place in the list, counting from 1. Only append.
constexpr const char* kMigrations[] = {
    "COMMENT ON SCHEMA gatescope IS 'What gatescope keeps beside the tables of backscope.'",
    // Terms as one text "2,3,5": they are digits and signs, never asked for one by one, and split
    // faster than an array is parsed. file_mtime in nanoseconds.
    R"(CREATE TABLE gatescope.entry (
         number integer PRIMARY KEY, name text NOT NULL, first_index bigint NOT NULL,
         terms text NOT NULL, xrefs text NOT NULL,
         file_mtime bigint NOT NULL, file_size bigint NOT NULL))",
    // What `gatescope oeis import` brings. entry.tree: the import that an entry is of; 0: a list of
    // names or terms; null: read when somebody asked for it. entry.flags: 1 core, 2 nice, 4 dead.
    // entry.mentions: the A-numbers in its text, without its own; backref is the same turned
    // around, with the count beside the array, which is stored out of line.
    R"(ALTER TABLE gatescope.entry
         ADD COLUMN tree integer, ADD COLUMN flags smallint NOT NULL DEFAULT 0,
         ADD COLUMN mentions integer[] NOT NULL DEFAULT '{}';
       CREATE TABLE gatescope.backref (
         target integer PRIMARY KEY, refs integer NOT NULL, sources integer[] NOT NULL))",
};

bool exists(pqxx::transaction_base& t, const std::string& expression) {
  return !t.exec("SELECT " + expression)[0][0].is_null();
}

Result<void> check_encoding(pqxx::connection& connection) {
  pqxx::nontransaction t(connection);
  const std::string encoding(text(t.exec("SHOW server_encoding")[0][0]));
  if (encoding == "UTF8") return {};
  const std::string name(text(t.exec("SELECT current_database()")[0][0]));
  return make_error(
      ErrorKind::Unavailable, Origin::Internal,
      fmt::format("the database \"{0}\" has the encoding {1}, but UTF8 is needed; mend it with: "
                  "createdb -T template0 -E UTF8 {0}_utf8 && pg_dump {0} | psql {0}_utf8, then "
                  "name {0}_utf8 in the configuration",
                  name, encoding));
}

int schema_version(pqxx::transaction_base& t) {
  if (!exists(t, "to_regclass('gatescope.version')")) return 0;
  const auto rows = t.exec("SELECT coalesce(max(number), 0) FROM gatescope.version");
  return rows[0][0].as<int>();
}

}  // namespace

Result<void> prepare_database(pqxx::connection& connection) {
  if (auto fits = check_encoding(connection); !fits) return fits;
  pqxx::work t(connection);
  t.exec("SET LOCAL client_min_messages = warning");  // "already exists, skipping" on every start
  t.exec(kLock);
  // Looked for first: whoever may not create tables can use those that are there.
  if (!exists(t, "to_regclass('sequences')")) t.exec(kOldTables[0]);
  if (!exists(t, "to_regclass('searches')")) t.exec(kOldTables[1]);
  constexpr int kNewest = static_cast<int>(std::size(kMigrations));
  const int version = schema_version(t);
  if (version > kNewest) {
    return make_error(ErrorKind::Unavailable, Origin::Internal,
                      fmt::format("the database was used by a newer gatescope (schema {}, this one "
                                  "knows {}): run that one",
                                  version, kNewest));
  }
  if (version == 0) {
    t.exec("CREATE SCHEMA IF NOT EXISTS gatescope");
    t.exec(
        "CREATE TABLE IF NOT EXISTS gatescope.version (number integer PRIMARY KEY, "
        "since timestamptz NOT NULL DEFAULT now())");
  }
  for (int i = version; i < kNewest; ++i) {
    t.exec(kMigrations[i]);
    t.exec("INSERT INTO gatescope.version(number) VALUES (" + std::to_string(i + 1) + ")");
  }
  t.commit();
  return {};
}

void prepare_statements(pqxx::connection& connection) {
  connection.prepare("load_sequence",
                     R"(SELECT name, shift, "values", factors FROM sequences WHERE id = $1)");
  // Factors go with values: those of other values would be wrong.
  connection.prepare("save_sequence", R"(
      INSERT INTO sequences AS s (id, name, shift, "values", values_requested)
      VALUES ($1, $2, $3, $4::varchar[], true)
      ON CONFLICT (id) DO UPDATE SET
        name = CASE WHEN excluded.name = $5 THEN coalesce(s.name, excluded.name)
                    ELSE excluded.name END,
        shift = excluded.shift, "values" = excluded."values", values_requested = true,
        factors = CASE WHEN s."values" IS NOT DISTINCT FROM excluded."values"
                            AND s.shift = excluded.shift THEN s.factors END)");
  connection.prepare("save_name", "UPDATE sequences SET name = $2 WHERE id = $1");
  connection.prepare("save_factors", R"(
      UPDATE sequences SET factors = $3::varchar[]
      WHERE id = $1 AND "values" = $2::varchar[])");
  connection.prepare("load_entry", R"(
      SELECT name, first_index, terms, xrefs, file_mtime, file_size
      FROM gatescope.entry WHERE number = $1)");
  // Always one row.
  connection.prepare("load_metadata", R"(
      SELECT e.name, e.xrefs, e.tree > 0, b.sources, s.name, s.raw_refs, s.backrefs
      FROM (VALUES ($1::integer, $2::varchar)) AS asked (number, id)
      LEFT JOIN gatescope.entry e ON e.number = asked.number
      LEFT JOIN gatescope.backref b ON b.target = asked.number
      LEFT JOIN sequences s ON s.id = asked.id)");
  connection.prepare("save_entry", R"(
      INSERT INTO gatescope.entry
        (number, name, first_index, terms, xrefs, file_mtime, file_size)
      VALUES ($1, $2, $3, $4, $5, $6, $7)
      ON CONFLICT (number) DO UPDATE SET
        name = excluded.name, first_index = excluded.first_index, terms = excluded.terms,
        xrefs = excluded.xrefs, file_mtime = excluded.file_mtime, file_size = excluded.file_size)");
}

}  // namespace gatescope::api
