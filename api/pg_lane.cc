#include "api/pg_lane.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "api/pg_session.h"

namespace gatescope::api {

namespace {

// How soon a job is tried again while a database of ours restarts, and while another's is away.
constexpr Duration kAgain{50}, kAgainElsewhere{500};
// More would be what a client keeps us busy with while the database is away; it can be had again.
constexpr std::size_t kMaxDetached = 1024;

}  // namespace

/// The sessions, one per thread of the lane; each is touched by its thread only.
struct PgSlots {
  explicit PgSlots(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i)
      sessions.push_back(std::make_unique<PgSession>(shared));
  }
  PgShared shared;
  std::vector<std::unique_ptr<PgSession>> sessions;
};

void PgLane::count_jobs() {
  if (jobs_count_ != nullptr) jobs_count_->set(static_cast<std::int64_t>(jobs_.size()));
}

void PgLane::show_up(bool up) {
  if (up_ != nullptr) up_->set(up ? 1 : 0);
}

/// What was asked wrongly, or is not there, says nothing about the server.
void PgLane::count(const Result<void>& result) {
  if (result) {
    if (jobs_done_ != nullptr) jobs_done_->add();
    return show_up(true);
  }
  if (failures_ != nullptr) failures_->add();
  const auto kind = result.error().kind;
  if (kind == ErrorKind::Unavailable || kind == ErrorKind::Timeout) show_up(false);
}

/// One piece of work. Owned by who asked.   Waiting -> Running -> Done; Running -> Waiting when a
/// database that restarts was away. Any -> Done by the deadline.
class PgLane::PendingJob final : public PgLane::Job, private net::TimerEvents {
 public:
  PendingJob(PgLane& lane, PgWork work, Duration within, bool patient, Done done)
      : lane_(lane),
        work_(std::move(work)),
        patient_(patient),
        done_(std::move(done)),
        deadline_(lane.loop_.make_timer(*this)),
        again_(lane.loop_.make_timer(*this)) {
    lane_.jobs_.push_back(this);
    lane_.count_jobs();
    deadline_->start(within);
    try_now();
  }
  ~PendingJob() override { leave(); }

  /// Hands the work to the lane if the database is there and it has not been.
  void try_now() {
    if (state_ != State::Waiting || !lane_.database_.ready()) return;
    auto run = std::make_shared<Run>();
    cut_ = std::make_shared<PgCut>();
    auto ticket = lane_.lane_->submit(
        [slots = lane_.slots_, work = work_, where = lane_.database_.connection_string(), run,
         cut = cut_](unsigned thread) {
          run->result = slots->sessions[thread]->work(where, *cut, work);
        },
        [this, run] { on_ran(std::move(run->result)); });
    if (!ticket) {
      failure_ = ticket.error();
      again_->start(Duration(0));  // not from inside
      return;
    }
    state_ = State::Running;
    ticket_ = std::move(*ticket);
  }

 private:
  enum class State { Waiting, Running, Done };
  struct Run {
    Result<void> result;
  };

  void on_ran(Result<void> result) {
    state_ = State::Waiting;
    const bool restarts = lane_.database_.restarts();
    if (!result && result.error().kind == ErrorKind::Unavailable && (restarts || patient_)) {
      lane_.show_up(false);
      last_error_ = result.error().detail;
      again_->start(restarts ? kAgain : kAgainElsewhere);
      return;
    }
    finish(std::move(result));
  }

  void on_timer(net::Timer& timer) override {
    if (&timer == deadline_.get()) {
      if (!last_error_.empty()) last_error_ = ": " + last_error_;
      return finish(make_error(ErrorKind::Timeout, Origin::Internal,
                               "the database gave no answer in time" + last_error_));
    }
    if (failure_) return finish(*failure_);
    try_now();
  }

  void finish(Result<void> result) {
    leave();
    lane_.count(result);
    const Done done = std::move(done_);  // it may destroy this
    done(std::move(result));
  }

  void leave() {
    if (state_ == State::Running) cut_->cut();
    state_ = State::Done;
    deadline_->stop();
    again_->stop();
    ticket_.reset();
    std::erase(lane_.jobs_, this);
    lane_.count_jobs();
  }

  PgLane& lane_;
  const PgWork work_;
  const bool patient_;  // a database that is away is waited for
  Done done_;
  const std::unique_ptr<net::Timer> deadline_, again_;
  State state_ = State::Waiting;
  std::string last_error_;        // of an earlier try
  std::optional<Error> failure_;  // to be told by the timer
  std::shared_ptr<PgCut> cut_;    // while Running; shared with the thread
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;
};

/// Work that is its own owner's only friend: kept by the lane until it is done.
class PgLane::Detached {
 public:
  std::string what;
  PgWork work;
  Duration within;
  std::unique_ptr<Job> job;  // null: waits for those before it
};

PgLane::PgLane(net::Loop& loop, Log& log, Database& database, unsigned threads, Stats* stats)
    : loop_(loop),
      log_(log),
      database_(database),
      slots_(std::make_shared<PgSlots>(threads)),
      lane_(loop.make_lane({.name = "database", .threads = threads})),
      flush_timer_(loop.make_timer(*this)) {
  database_.set_events(this);
  if (stats != nullptr) {
    failures_ = &stats->counter("database_failures", "jobs",
                                "Database jobs that failed or passed their deadline.");
    jobs_count_ = &stats->gauge("database_jobs", "jobs",
                                "Database jobs that run, or wait for a thread or the database.");
    jobs_done_ = &stats->counter("database_jobs_done", "jobs", "Database jobs that succeeded.");
    up_ = &stats->gauge("database_up", "", kUpHelp);
  }
}

PgLane::~PgLane() {
  database_.set_events(nullptr);
  detached_.clear();
  lane_.reset();
}

std::unique_ptr<PgLane::Job> PgLane::run(PgWork work, Duration within, Done done) {
  return run(std::move(work), within, false, std::move(done));
}

std::unique_ptr<PgLane::Job> PgLane::run(PgWork work, Duration within, bool patient, Done done) {
  return std::make_unique<PendingJob>(*this, std::move(work), within, patient, std::move(done));
}

void PgLane::run_detached(std::string what, PgWork work, Duration within) {
  if (auto* detached = keep(std::move(what), std::move(work), within)) begin(*detached);
}

void PgLane::run_detached_last(std::string what, PgWork work, Duration within) {
  auto* detached = keep(std::move(what), std::move(work), within);
  if (detached != nullptr && detached_.size() == 1) begin(*detached);
}

PgLane::Detached* PgLane::keep(std::string what, PgWork work, Duration within) {
  if (detached_.size() >= kMaxDetached) {
    log_.print(LogLevel::Error, "{} failed: {} other changes wait for the database", what,
               detached_.size());
    return nullptr;
  }
  detached_.push_back(
      std::make_unique<Detached>(Detached{std::move(what), std::move(work), within, nullptr}));
  return detached_.back().get();
}

void PgLane::begin(Detached& detached) {
  detached.job = run(std::move(detached.work), detached.within, true,
                     [this, &detached](const auto& result) { on_detached_done(detached, result); });
}

void PgLane::on_detached_done(Detached& detached, const Result<void>& result) {
  if (!result) log_.print(LogLevel::Error, "{} failed: {}", detached.what, result.error().detail);
  const auto place = std::find_if(detached_.begin(), detached_.end(),
                                  [&](const auto& one) { return one.get() == &detached; });
  loop_.discard(std::move(*place));
  detached_.erase(place);
  if (!detached_.empty() && detached_.front()->job == nullptr) begin(*detached_.front());
  if (detached_.empty() && flushed_) flush_timer_->start(Duration(0));  // it may destroy the lane
}

void PgLane::flush(Duration within, net::Task done) {
  flushed_ = std::move(done);
  flush_timer_->start(detached_.empty() ? Duration(0) : within);
}

void PgLane::on_timer(net::Timer&) {
  if (!detached_.empty()) {
    log_.print(LogLevel::Warn, "changes of the database that were not stored before the end: {}",
               detached_.size());
  }
  const net::Task flushed = std::move(flushed_);  // it may destroy the lane
  flushed();
}

void PgLane::on_database_changed() {
  slots_->shared.refused_until = 0;
  const auto jobs = jobs_;  // trying does not finish any, but be safe
  for (PendingJob* job : jobs)
    job->try_now();
}

}  // namespace gatescope::api
