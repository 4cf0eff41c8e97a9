#include "api/pg_completion.h"

#include <utility>

#include "api/pg_notify.h"
#include "api/pg_session.h"

namespace gatescope::api {

namespace {

// Nobody waits for it, but a database that is away for longer forgets it: whoever asks for the
// sequence again brings it back.
constexpr Duration kDetached{10'000};

class LaneJob final : public SequenceStore::Job {
 public:
  explicit LaneJob(std::unique_ptr<PgLane::Job> job) : job_(std::move(job)) {}

 private:
  const std::unique_ptr<PgLane::Job> job_;
};

/// Lost with a crash, it comes again: no need to wait for the disk.
void relax(pqxx::work& t) {
  t.exec("SET LOCAL synchronous_commit = off");
}

void insert(PgSession& session, SequenceId id) {
  pqxx::work t(session.connection());
  relax(t);
  run(t, "wish_completion", id.number());
  t.commit();
}

}  // namespace

void PgCompletion::wish(SequenceId id) {
  lane_.run_detached(
      "noting " + id.text(),
      [id](PgSession& session) -> Result<void> {
        insert(session, id);
        return {};
      },
      kDetached);
}

std::unique_ptr<CompletionStore::Job> PgCompletion::note(SequenceId id, Duration within,
                                                         Noted done) {
  auto wanted = std::make_shared<bool>(false);
  return std::make_unique<LaneJob>(lane_.run(
      [id, wanted](PgSession& session) -> Result<void> {
        insert(session, id);
        pqxx::nontransaction t(session.connection());
        *wanted = !run(t, "is_wished", id.number()).empty();
        return {};
      },
      within,
      [wanted, done = std::move(done)](Result<void> result) {
        if (!result) return done(result.error());
        done(*wanted);
      }));
}

std::unique_ptr<CompletionStore::Job> PgCompletion::list(std::size_t most, Duration within,
                                                         Listed done) {
  auto found = std::make_shared<std::vector<SequenceId>>();
  return std::make_unique<LaneJob>(lane_.run(
      [most, found](PgSession& session) -> Result<void> {
        pqxx::nontransaction t(session.connection());
        found->clear();
        for (const auto& row : run(t, "list_wishes", static_cast<std::int64_t>(most)))
          found->emplace_back(row[0].as<std::uint32_t>());
        return {};
      },
      within,
      [found, done = std::move(done)](Result<void> result) {
        if (!result) return done(result.error());
        done(std::move(*found));
      }));
}

void PgCompletion::note_completed(SequenceId id) {
  lane_.run_detached(
      "noting that " + id.text() + " is complete",
      [id](PgSession& session) -> Result<void> {
        pqxx::work t(session.connection());
        relax(t);
        run(t, "note_completed", id.number());
        t.commit();
        return {};
      },
      kDetached);
}

void PgCompletion::save_xrefs(SequenceId id, std::string xrefs) {
  lane_.run_detached(
      "storing the references of " + id.text(),
      [id, xrefs = std::move(xrefs), instance = instance_](PgSession& session) -> Result<void> {
        pqxx::work t(session.connection());
        relax(t);
        if (run(t, "save_xrefs", id.text(), xrefs).affected_rows() == 0) return {};
        notify_changed(t, instance, id);
        t.commit();
        return {};
      },
      kDetached);
}

}  // namespace gatescope::api
