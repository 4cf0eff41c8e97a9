#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/changes.h"
#include "api/database.h"
#include "proxy/base/log.h"
#include "proxy/base/stats.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

class PgCut;
struct PgEar;

/// Hears what other gatescopes notify (api/pg_notify.h), on a connection and a thread of its own.
/// A server that is silent is noticed within ten seconds, one that went is asked for again and
/// again. After each connection that it got, the first too, on_changes_missed(). Owned by
/// ApiModule; on the loop's thread. The Database outlives it.
///
///   Connecting -> Listening -> Listening ...; a failure -> Resting -> Connecting
class PgChanges final : public Changes, private net::TimerEvents {
 public:
  /// `own`: whose notifications are not told.
  PgChanges(net::Loop& loop, Log& log, const Database& database, std::string own, Stats* stats);
  ~PgChanges() override;
  void set_events(ChangeEvents* events) override { events_ = events; }
  bool listening() const { return state_ == State::Listening; }

 private:
  enum class State { Connecting, Listening, Resting };
  struct Heard;
  void listen();
  void on_heard(const Heard& heard);
  void tell(const std::string& payload);
  void on_timer(net::Timer& timer) override;

  // Constant after construction
  net::Loop& loop_;
  Log& log_;
  const Database& database_;
  const std::string own_;
  const std::shared_ptr<PgEar> ear_;  // the lane thread's alone, while it works
  std::shared_ptr<net::WorkerLane> lane_;
  Counter* heard_ = nullptr;  // null: not counted
  Counter* connects_ = nullptr;
  Counter* up_ = nullptr;
  const std::unique_ptr<net::Timer> deadline_, rest_;

  State state_ = State::Connecting;
  ChangeEvents* events_ = nullptr;  // null: nobody
  unsigned failures_ = 0;           // in a row
  std::string last_failure_;        // logged once while it stays the same
  std::shared_ptr<PgCut> cut_;      // of the work under way; shared with the thread
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;
};

}  // namespace gatescope::api
