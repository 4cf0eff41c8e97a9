#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "api/database.h"
#include "proxy/base/log.h"
#include "proxy/base/stats.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

class PgSession;
class PgCut;
struct PgSlots;

/// The gauge "database_up", which all set who talk to it: what was heard last counts.
inline constexpr std::string_view kUpHelp =
    "1: the database answered when it was asked last; 0: it did not, or nobody has asked yet.";

/// Straight-line blocking work with a connection, on a lane thread; may throw what libpqxx throws.
/// It may run twice when the connection breaks: a transaction, or reading.
using PgWork = std::function<Result<void>(PgSession&)>;

/// The database lane: a few threads, each with a connection of its own. Waits for a database that
/// is being started; a job that passes its deadline has its socket shut down. Owned by the stores'
/// owner; on the loop's thread. The Database outlives it.
class PgLane final : private DatabaseEvents, private net::TimerEvents {
 public:
  class Job {
   public:
    virtual ~Job() = default;  // drops `done`, and the work unless it has begun
  };
  using Done = std::function<void(Result<void>)>;

  PgLane(net::Loop& loop, Log& log, Database& database, unsigned threads, Stats* stats);
  /// Every Job is destroyed before. Waits for the thread that still works, after cutting it off.
  ~PgLane() override;

  /// `done` once, never from inside. Errors: Unavailable, Timeout, Busy, Internal; Invalid and
  /// Forbidden of a database that must be mended first.
  std::unique_ptr<Job> run(PgWork work, Duration within, Done done);
  /// run() for work whose end nobody waits for; a database that is away is tried again until it is
  /// back or `within` has passed. Failures are logged.
  void run_detached(std::string what, PgWork work, Duration within);
  /// The same, begun when all that was detached before is done.
  void run_detached_last(std::string what, PgWork work, Duration within);
  /// Before the end: `done` once, not from inside, when nothing detached is left, or after
  /// `within`: the rest will be lost. Not again before that.
  void flush(Duration within, net::Task done);

 private:
  class PendingJob;
  class Detached;
  std::unique_ptr<Job> run(PgWork work, Duration within, bool patient, Done done);
  Detached* keep(std::string what, PgWork work, Duration within);  // null: there are too many
  void begin(Detached& detached);
  void on_detached_done(Detached& detached, const Result<void>& result);
  void count_jobs();
  void count(const Result<void>& result);
  void show_up(bool up);
  void on_database_changed() override;
  void on_timer(net::Timer& timer) override;

  // Constant after construction
  net::Loop& loop_;
  Log& log_;
  Database& database_;
  const std::shared_ptr<PgSlots> slots_;  // shared with the work that runs
  std::shared_ptr<net::WorkerLane> lane_;
  Counter* failures_ = nullptr;  // null: not counted
  Counter *jobs_count_ = nullptr, *jobs_done_ = nullptr, *up_ = nullptr;

  std::vector<PendingJob*> jobs_;  // all that are not done
  std::list<std::unique_ptr<Detached>> detached_;
  const std::unique_ptr<net::Timer> flush_timer_;
  net::Task flushed_;  // empty: flush() does not run
};

}  // namespace gatescope::api
