#pragma once

// The statements of an import, in the order in which PgImport::apply() runs them. The table
// gatescope.import_entry holds what was read, once per number.

namespace gatescope::api::import_sql {

// Numbers that nobody else uses: "gimp" and "gsav" in ASCII. Held while an import runs, ...
inline constexpr const char* kTryLock = "SELECT pg_try_advisory_lock(1734962544)";
inline constexpr const char* kWhoHasTheLock = R"(
    SELECT to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS'),
           coalesce(host(a.client_addr), 'this host')
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = 1734962544)";
// ... and while one is applied. A server that stores a single entry takes it shared, and leaves the
// entry alone when it cannot have it: the references of both must not be computed from one state.
inline constexpr const char* kLockOutSaves = "SELECT pg_advisory_xact_lock(1735614838)";
inline constexpr const char* kTrySave = "SELECT pg_try_advisory_xact_lock_shared(1735614838)";
// Those who store single entries wait for each other, a millisecond: else they could deadlock over
// the rows of the sequences that both mention.
inline constexpr const char* kOneSaveAtATime = "SELECT pg_advisory_xact_lock(1735614839)";

/// Of lists: only what is new or changed remains, and what one list does not say is what is stored.
inline constexpr const char* kFitLists[] = {
    R"(DELETE FROM gatescope.import_entry s USING gatescope.entry e
       WHERE e.number = s.number
         AND (e.tree IS DISTINCT FROM 0
              OR (e.name = coalesce(s.name, e.name) AND e.terms = coalesce(s.terms, e.terms))))",
    R"(UPDATE gatescope.import_entry s
       SET mentions = CASE WHEN s.name IS NULL THEN e.mentions ELSE s.mentions END,
           name = coalesce(s.name, e.name), terms = coalesce(s.terms, e.terms)
       FROM gatescope.entry e
       WHERE e.number = s.number AND (s.name IS NULL OR s.terms IS NULL))",
};

/// {0}: an array of numbers, {1}: the tree.
inline constexpr const char* kGone = R"(
    CREATE TEMP TABLE gone ON COMMIT DROP AS
    SELECT number, mentions FROM gatescope.entry
    WHERE tree = {1} AND number = ANY('{0}'::integer[]))";

inline constexpr const char* kCount = R"(
    SELECT count(*) - count(e.number), count(e.number), (SELECT count(*) FROM gone)
    FROM gatescope.import_entry s LEFT JOIN gatescope.entry e USING (number))";

/// Turns what changed in the mentions around, and brings backref up to date by it.
inline constexpr const char* kReferences[] = {
    R"(CREATE TEMP TABLE changed ON COMMIT DROP AS
       SELECT number AS source, e.mentions AS before, s.mentions AS after
       FROM gatescope.import_entry s LEFT JOIN gatescope.entry e USING (number)
       WHERE s.mentions IS DISTINCT FROM e.mentions
       UNION ALL SELECT number, mentions, NULL FROM gone)",
    R"(CREATE TEMP TABLE change ON COMMIT DROP AS
       SELECT target, array_agg(source ORDER BY source) FILTER (WHERE added) AS added,
              array_agg(source) FILTER (WHERE NOT added) AS removed
       FROM (SELECT source, unnest(after) AS target, true AS added FROM changed
             WHERE before IS NULL OR before = '{}'
             UNION ALL
             SELECT source, unnest(before), false FROM changed WHERE after IS NULL
             UNION ALL
             SELECT source, target, true FROM changed,
               LATERAL (SELECT unnest(after) EXCEPT SELECT unnest(before)) AS t (target)
             WHERE after IS NOT NULL AND before <> '{}'
             UNION ALL
             SELECT source, target, false FROM changed,
               LATERAL (SELECT unnest(before) EXCEPT SELECT unnest(after)) AS t (target)
             WHERE after IS NOT NULL AND before <> '{}') AS pair
       GROUP BY target)",
    R"(INSERT INTO gatescope.backref AS b (target, refs, sources)
       SELECT target, cardinality(sources), sources
       FROM (SELECT c.target,
               CASE WHEN b.target IS NULL THEN coalesce(c.added, '{}')
                    ELSE ARRAY(SELECT n FROM (SELECT unnest(b.sources) EXCEPT SELECT unnest(c.removed)
                                              UNION SELECT unnest(c.added)) AS u (n) ORDER BY n)
               END AS sources
             FROM change c LEFT JOIN gatescope.backref b USING (target)) AS merged
       ON CONFLICT (target) DO UPDATE SET refs = excluded.refs, sources = excluded.sources)",
    "DELETE FROM gatescope.backref WHERE refs = 0",
};

inline constexpr const char* kEntries[] = {
    "DELETE FROM gatescope.entry WHERE number IN (SELECT number FROM gone)",
    R"(INSERT INTO gatescope.entry
         (number, tree, name, first_index, terms, xrefs, file_mtime, file_size, flags, mentions)
       SELECT number, tree, coalesce(name, ''), first_index, coalesce(terms, ''), xrefs, file_mtime,
              file_size, flags, mentions
       FROM gatescope.import_entry
       ON CONFLICT (number) DO UPDATE SET
         tree = excluded.tree, name = excluded.name, first_index = excluded.first_index,
         terms = excluded.terms, xrefs = excluded.xrefs, file_mtime = excluded.file_mtime,
         file_size = excluded.file_size, flags = excluded.flags, mentions = excluded.mentions)",
};

}  // namespace gatescope::api::import_sql
