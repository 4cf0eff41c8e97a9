#include "api/pg_schema.h"

#include <fmt/format.h>

#include <string>

#include "api/pg_privileges.h"
#include "api/pg_session.h"

namespace gatescope::api {

namespace {

// Any number that nobody else uses: "gate" in ASCII.
constexpr const char* kLock = "SELECT pg_advisory_xact_lock(1734440037)";

// The old service made these (SQLAlchemy), and must be able to work with them again.
constexpr const char* kOldTables[] = {
    R"(CREATE TABLE IF NOT EXISTS {}.sequences (
         id varchar PRIMARY KEY, name varchar, shift integer NOT NULL DEFAULT 0,
         "values" varchar[], values_requested boolean NOT NULL DEFAULT false,
         raw_refs varchar, backrefs varchar[], ref_count integer,
         meta_req_time bigint, factors varchar[]))",
    R"(CREATE TABLE IF NOT EXISTS {}.searches (
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
    // Who works on what (pg_claims.h); `number` tells an owner's claims apart. Unlogged: a server
    // that crashed has none, and nor has a standby that was promoted, whose claims are old anyway.
    R"(CREATE UNLOGGED TABLE gatescope.claim (
         sequence integer, kind smallint, owner text NOT NULL, number bigint NOT NULL,
         until timestamptz NOT NULL, PRIMARY KEY (sequence, kind)))",
    // import_entry: what an import has read and not applied yet; it can be read again.
    R"(CREATE TABLE gatescope.tree (
         number integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY, path text NOT NULL UNIQUE,
         imported timestamptz);
       CREATE UNLOGGED TABLE gatescope.import_entry (
         number integer NOT NULL, tree integer NOT NULL, name text, first_index bigint NOT NULL,
         terms text, xrefs text NOT NULL, file_mtime bigint NOT NULL, file_size bigint NOT NULL,
         flags smallint NOT NULL, mentions integer[] NOT NULL))",
    // Of which sequences the rest is to be obtained in the background (completion.h).
    R"(CREATE TABLE gatescope.completion (
         sequence integer PRIMARY KEY, since timestamptz NOT NULL DEFAULT clock_timestamp(),
         done_at timestamptz);
       CREATE INDEX completion_waiting ON gatescope.completion (since) WHERE done_at IS NULL)",
};

// What older releases of the old service had not yet.
constexpr const char* kMissingColumns = R"(
    SELECT format('ALTER TABLE sequences ADD COLUMN %I %s', name, type)
    FROM (VALUES ('raw_refs', 'varchar'), ('backrefs', 'varchar[]'), ('ref_count', 'integer'),
                 ('meta_req_time', 'bigint'), ('factors', 'varchar[]'), ('name', 'varchar'),
                 ('values_requested', 'boolean NOT NULL DEFAULT false'),
                 ('shift', 'integer NOT NULL DEFAULT 0')) AS needed(name, type)
    WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('sequences')
                      AND attname = needed.name AND NOT attisdropped))";

bool exists(pqxx::transaction_base& t, const std::string& expression) {
  return !t.exec("SELECT " + expression)[0][0].is_null();
}

Result<void> check_encoding(pqxx::transaction_base& t) {
  const std::string encoding(text(t.exec("SHOW server_encoding")[0][0]));
  if (encoding == "UTF8") return {};
  const std::string name(text(t.exec("SELECT current_database()")[0][0]));
  return make_error(
      ErrorKind::Invalid, Origin::Internal,
      fmt::format("the database \"{0}\" has the encoding {1}, but UTF8 is needed; mend it with: "
                  "createdb -T template0 -E UTF8 {0}_utf8 && pg_dump {0} | psql {0}_utf8, then "
                  "name {0}_utf8 in the configuration",
                  name, encoding));
}

Result<void> add_missing_columns(pqxx::transaction_base& t) {
  const auto commands = t.exec(kMissingColumns);
  if (commands.empty()) return {};
  const auto owner = t.exec(
      "SELECT pg_has_role(relowner, 'USAGE'), relowner::regrole, current_database() FROM pg_class "
      "WHERE oid = to_regclass('sequences')");
  std::string all;
  for (const auto& row : commands)
    all += (all.empty() ? "" : "; ") + std::string(text(row[0]));
  if (!owner[0][0].as<bool>()) {
    return make_error(ErrorKind::Forbidden, Origin::Internal,
                      fmt::format("database: the table \"sequences\" is of an older backscope and "
                                  "belongs to \"{0}\", who brings it up to date with: "
                                  "psql -U {0} -d {1} -c '{2}'",
                                  text(owner[0][1]), text(owner[0][2]), all));
  }
  t.exec(all);
  return {};
}

int schema_version(pqxx::transaction_base& t) {
  if (!exists(t, "to_regclass('gatescope.version')")) return 0;
  const auto rows = t.exec("SELECT coalesce(max(number), 0) FROM gatescope.version");
  return rows[0][0].as<int>();
}

}  // namespace

int newest_schema_version() {
  return static_cast<int>(std::size(kMigrations));
}

void lock_schema(pqxx::transaction_base& t) {
  t.exec(kLock);
}

Result<void> make_tables(pqxx::transaction_base& t) {
  if (auto fits = check_encoding(t); !fits) return fits;
  if (auto may = check_privileges(t); !may) return may;
  const int version = schema_version(t);
  const int newest = newest_schema_version();
  if (version > newest) {
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      fmt::format("the database was used by a newer gatescope (schema {}, this one "
                                  "knows {}): run that one",
                                  version, newest));
  }
  t.exec("SET LOCAL client_min_messages = warning");  // "already exists, skipping" on every start
  // Looked for first: whoever may not create tables can use those that are there.
  const std::string place = t.quote_name(t.exec(kSchemaOfOldTables)[0][0].as<std::string>());
  if (!exists(t, "to_regclass('sequences')")) t.exec(fmt::format(kOldTables[0], place));
  if (!exists(t, "to_regclass('searches')")) t.exec(fmt::format(kOldTables[1], place));
  if (auto complete = add_missing_columns(t); !complete) return complete;
  if (version == 0) {
    t.exec("CREATE SCHEMA IF NOT EXISTS gatescope");
    t.exec(
        "CREATE TABLE IF NOT EXISTS gatescope.version (number integer PRIMARY KEY, "
        "since timestamptz NOT NULL DEFAULT now())");
  }
  for (int i = version; i < newest; ++i) {
    t.exec(kMigrations[i]);
    t.exec("INSERT INTO gatescope.version(number) VALUES (" + std::to_string(i + 1) + ")");
  }
  return {};
}

Result<void> prepare_database(pqxx::connection& connection) {
  pqxx::work t(connection);
  lock_schema(t);
  if (auto made = make_tables(t); !made) return made;
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
  connection.prepare("load_search", "SELECT ids, names FROM searches WHERE term = $1");
  connection.prepare("save_search", R"(
      INSERT INTO searches AS s (term, ids, names)
      SELECT $1::varchar, $2::varchar[], $3::varchar[]
      WHERE (SELECT count(*) FROM (SELECT FROM searches LIMIT $4::bigint) AS few) < $4::bigint
      ON CONFLICT (term) DO UPDATE SET ids = excluded.ids, names = excluded.names)");
  connection.prepare("load_entry", R"(
      SELECT name, first_index, CASE WHEN tree = 0 THEN '' ELSE terms END, xrefs, file_mtime,
             file_size
      FROM gatescope.entry WHERE number = $1)");
  // Always one row.
  connection.prepare("load_metadata", R"(
      SELECT e.name, e.xrefs, e.tree > 0, b.sources, s.name, s.raw_refs, s.backrefs
      FROM (VALUES ($1::integer, $2::varchar)) AS asked (number, id)
      LEFT JOIN gatescope.entry e ON e.number = asked.number
      LEFT JOIN gatescope.backref b ON b.target = asked.number
      LEFT JOIN sequences s ON s.id = asked.id)");
  connection.prepare("save_entry", R"(
      INSERT INTO gatescope.entry AS e
        (number, name, first_index, terms, xrefs, file_mtime, file_size, flags, mentions)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::integer[])
      ON CONFLICT (number) DO UPDATE SET
        name = excluded.name, first_index = excluded.first_index, terms = excluded.terms,
        xrefs = excluded.xrefs, file_mtime = excluded.file_mtime, file_size = excluded.file_size,
        flags = excluded.flags, mentions = excluded.mentions, tree = nullif(e.tree, 0))");
  connection.prepare("load_mentions", "SELECT mentions FROM gatescope.entry WHERE number = $1");
  connection.prepare("remove_mentions", R"(
      UPDATE gatescope.backref
      SET refs = cardinality(sources) - 1, sources = array_remove(sources, $1::integer)
      WHERE target = ANY($2::integer[]) AND $1 = ANY(sources))");
  connection.prepare("add_mentions", R"(
      INSERT INTO gatescope.backref AS b (target, refs, sources)
      SELECT target, 1, ARRAY[$1::integer] FROM unnest($2::integer[]) AS t (target)
      ON CONFLICT (target) DO UPDATE
      SET refs = cardinality(b.sources) + 1, sources = b.sources || excluded.sources
      WHERE $1 <> ALL (b.sources))");
  // The clock is the database's, the same for all. A row of the same owner is one that it gave back
  // just now.
  connection.prepare("claim", R"(
      INSERT INTO gatescope.claim AS c (sequence, kind, owner, number, until)
      VALUES ($1, $2, $3, $4, clock_timestamp() + $5 * interval '1 millisecond')
      ON CONFLICT (sequence, kind) DO UPDATE SET
        owner = excluded.owner, number = excluded.number, until = excluded.until
      WHERE c.until < clock_timestamp() OR c.owner = excluded.owner
      RETURNING number)");
  // Those that a crash of the server lost are there again, unless somebody else has got them.
  connection.prepare("extend_claims", R"(
      INSERT INTO gatescope.claim AS c (sequence, kind, owner, number, until)
      SELECT sequence, kind, $1, number, clock_timestamp() + $5 * interval '1 millisecond'
      FROM unnest($2::integer[], $3::smallint[], $4::bigint[]) AS held(sequence, kind, number)
      ON CONFLICT (sequence, kind) DO UPDATE SET until = excluded.until
      WHERE c.owner = excluded.owner AND c.number = excluded.number)");
  connection.prepare("give_back_claim",
                     "DELETE FROM gatescope.claim WHERE owner = $1 AND number = $2");
  connection.prepare("wish_completion", R"(
      INSERT INTO gatescope.completion (sequence) VALUES ($1) ON CONFLICT DO NOTHING)");
  connection.prepare("is_wished", R"(
      SELECT 1 FROM gatescope.completion WHERE sequence = $1 AND done_at IS NULL)");
  connection.prepare("list_wishes", R"(
      SELECT sequence FROM gatescope.completion WHERE done_at IS NULL ORDER BY since DESC LIMIT $1)");
  connection.prepare("note_completed", R"(
      UPDATE gatescope.completion SET done_at = clock_timestamp() WHERE sequence = $1)");
  connection.prepare("save_xrefs", R"(
      UPDATE sequences SET raw_refs = $2 WHERE id = $1 AND coalesce(raw_refs, '') = '')");
}

}  // namespace gatescope::api
