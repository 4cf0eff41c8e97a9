#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/database.h"
#include "api/postgres_files.h"
#include "api/postgres_probe.h"
#include "proxy/base/log.h"
#include "proxy/base/stats.h"
#include "proxy/net/guarded_process.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

struct EmbeddedPostgresSettings {
  std::string state_dir;  // absolute; the cluster goes to state_dir/postgres
  Duration initdb_limit{120'000};
  Duration start_limit{300'000};  // crash recovery of a large log takes its time
  Duration patience{5'000};       // for each of SIGINT, SIGQUIT before the next
};

/// A PostgreSQL server of our own: makes the cluster once, starts the server, starts it again when
/// it dies, stops it in order. Reachable by a unix socket only, and only for the user that we are.
/// Whoever holds the lock file owns the cluster; a second gatescope (a binary upgrade) uses the
/// server of the first, and takes it over, running, when that has gone: the server lives as long as
/// somebody uses it (net::spawn_guarded). One without a guard, which outlived a crashed gatescope,
/// is stopped, then started anew. Owned by ApiModule, loop 0.
///
///   Idle -> Initialising -> Starting -> Ready -> Stopping -> Stopped
///   Idle -> Evicting (a left-over server, or one that is just ending) -> Starting
///   Idle -> Adopting -> Adopted (another gatescope's) -> Ready | Evicting | Starting
///   any failure, and a server that dies -> BackingOff -> as from Idle
class EmbeddedPostgres final : public Database,
                               private net::ProcessEvents,
                               private net::TimerEvents,
                               private PostgresProbeEvents {
 public:
  enum class State {
    Idle,
    Adopting,
    Adopted,
    Evicting,
    Initialising,
    Starting,
    Ready,
    BackingOff,
    Stopping,
    Stopped
  };
  static constexpr std::string_view kUser = "gatescope";
  static constexpr std::string_view kDatabase = "postgres";  // the one that initdb makes

  EmbeddedPostgres(net::Loop& loop, Log& log, EmbeddedPostgresSettings settings, Stats* stats);
  /// The server ends soon after, unless another gatescope uses it.
  ~EmbeddedPostgres() override;

  void start();
  /// `done` once, not from inside, when the server is gone (one that others use is left alone).
  void stop(net::Task done);
  State state() const { return state_; }
  pid_t server_pid() const { return server_ ? postmaster_ : -1; }
  unsigned failures() const { return failures_; }  // in a row
  /// Empty since it was ready.
  const std::string& last_failure() const { return last_failure_; }

  void set_events(DatabaseEvents* events) override { events_ = events; }
  bool ready() const override { return state_ == State::Ready || state_ == State::Adopted; }
  bool restarts() const override { return true; }
  std::string connection_string() const override;

 private:
  void enter(State state);
  void begin();
  Result<void> prepare_folders();
  bool enter_users();
  void begin_as_owner();
  Result<void> take_over_server(pid_t postmaster);
  Result<void> initialise();
  Result<void> finish_initialising();
  Result<void> write_access_rules(const std::string& data);
  Result<void> start_server();
  Result<std::unique_ptr<net::Process>> spawn(std::vector<std::string> argv, int death_signal);
  void probe();
  void back_off(const std::string& why);
  void insist();
  void finish_stop();
  void notify();

  void on_exit(int status) override;
  void on_timer(net::Timer& timer) override;
  void on_probed(Verdict verdict, const std::string& why) override;
  void on_starting_probed(Verdict verdict, const std::string& why);

  // Constant after construction
  net::Loop& loop_;
  Log& log_;
  const EmbeddedPostgresSettings settings_;
  const std::string folder_, data_, sockets_, lock_path_, users_path_, log_path_;
  Counter* shown_state_ = nullptr;  // null: not counted
  Counter* starts_ = nullptr;
  const std::unique_ptr<net::Timer> timer_;

  // Found by prepare_folders()
  std::string binaries_;
  OsUser user_;      // whom the server runs as
  OsUser own_user_;  // whom it lets in

  State state_ = State::Idle;
  DatabaseEvents* events_ = nullptr;      // null: nobody
  UniqueFd lock_;                         // none: not ours
  net::UsersFile users_;                  // closed: the server may end
  std::unique_ptr<net::Process> server_;  // initdb or postgres; null: not running
  pid_t postmaster_ = -1;                 // while server_ is a server that is ready
  std::unique_ptr<PostgresProbe> probe_;  // null: none under way
  std::optional<pid_t> evicted_;          // the server that outlived its gatescope
  MonoTime entered_{};                    // when state_ was
  Duration delay_{0};                     // of the next probe or the next attempt
  int insisted_ = 0;                      // signals sent so far while stopping or evicting
  unsigned failures_ = 0;                 // in a row
  std::string last_failure_;              // logged once while it stays the same
  net::Task stopped_;
};

std::string_view name_of(EmbeddedPostgres::State state);

}  // namespace gatescope::api
