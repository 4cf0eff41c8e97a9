#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "certs/served_checks.h"
#include "proxy/base/log.h"
#include "proxy/generation.h"
#include "proxy/heap.h"
#include "proxy/listening.h"
#include "proxy/ops/control_server.h"
#include "proxy/ops/ops_module.h"
#include "proxy/ops/status_report.h"
#include "proxy/service_manager.h"
#include "proxy/serving_loop.h"

namespace gatescope::server {

/// The outside world as the server is given it: real in process.cc, simulated in the tests. All of
/// it outlives the Server.
struct World {
  net::Loop& loop;  // loop 0: the server's own, and that of all services
  const Clock&
      clock;  // for what several threads use; a loop's own clock stands still within a turn
  conf::FileReader& files;
  tls::SecretReader& secrets;
  LogOpener& logs;
  net::SocketSource& sockets;
  net::LoopMaker& more_loops;
  bool logs_in_background = false;     // a thread writes access logs; the simulated world has none
  net::DnsClients* dns = nullptr;      // null: the real ones
  net::HttpsClients* https = nullptr;  // null: the real ones
  ServiceManager* service = nullptr;   // null: nobody is told how we fare
  bool control = false;                // there is a socket for commands
};

class ServerEvents {
 public:
  virtual ~ServerEvents() = default;
  /// After stop() or finish(): everything has ended. The Server may be destroyed (not inside).
  virtual void on_server_stopped() = 0;
  /// A reload has ended; `error` is null when the new configuration serves, on every loop.
  virtual void on_reloaded(const Error* error) = 0;
};

/// The serving process: what survives a reload, the current generation, the loops that serve it.
/// Lives on loop 0. Idle -> Running -> Finishing -> Stopped, Running -> Stopped.
class Server final : public ServingLoopEvents,
                     private tls::CertificateWatchEvents,
                     private ops::FactSource,
                     private ops::ControlHandler {
 public:
  Server(World world, LaunchOptions options, ServerEvents& events);
  ~Server() override;

  /// Reads the configuration and what is known of its certificates, and opens nothing else of it:
  /// for commands. Routes and logs are not there.
  Result<std::shared_ptr<Generation>> read();
  /// -t: loads everything and listens nowhere.
  Result<std::shared_ptr<Generation>> check();
  /// Loads the configuration, listens, and starts the other loops; blocking, before loop 0 runs.
  Result<void> start();
  /// HUP: builds the new generation on a worker thread, swaps it in on every loop, tells
  /// on_reloaded. What does not load leaves the running one in place. A call while one runs is done
  /// after it; several are done once.
  void reload();
  /// QUIT: no new connections, idle ones close, exchanges finish (at most worker_shutdown_timeout).
  void finish();
  /// As finish(), where another program takes the new clients: an idle connection is closed only
  /// when no request has come on it for a while, one may be on its way.
  void wind_down();
  /// TERM, INT: everything ends now.
  void stop();
  /// Whether another program serves beside this one, after an upgrade: then what is done in the
  /// background is that one's.
  void stand_by(bool another_serves);
  /// What the next program's server is to know for clients not to notice the exchange. Secret.
  std::string hand_over();
  /// Before start() or check().
  void take_over(std::string_view handed_over);
  /// USR1.
  void reopen_logs();

  /// Every directive table, for the reference.
  void describe(conf::Schema& schema) { add_all_directives(schema, survivors_); }
  /// What the check says beside errors: the warnings of `generation`, and what every module's rules
  /// find in what was written. Reads certificates.
  std::vector<conf::Warning> lint(const Generation& generation);
  const Generation& generation() const { return *generation_; }
  std::shared_ptr<const Generation> shared_generation() const { return generation_; }
  std::size_t connections() const { return static_cast<std::size_t>(counters_.totals.active()); }
  Stats& stats() { return stats_; }
  /// How it fares: looked at once a second, on loop 0.
  ops::StatusReport& report() { return report_; }
  Log& log() { return *generation_->error_log; }
  /// Null before start() and when all has ended.
  const tls::CertificateHealth* certificate_health() const {
    return certificate_watch_ ? &certificate_watch_->health() : nullptr;
  }
  void on_loop_empty(ServingLoop& loop) override;

 private:
  enum class State { Idle, Running, Finishing, Stopped };
  class ShutdownTimer;
  class FlushTimer;
  class WatchdogTimer;
  /// What a reload built on its thread, or why not.
  struct Built {
    std::shared_ptr<Generation> generation;
    BoundSockets sockets;
    std::optional<net::BoundSocket> control;  // nullopt: none, or the one that is there already
    std::string control_trouble;              // why there is none; empty: it is not wanted
  };

  void add_loops(unsigned wanted);
  void apply_upstream();
  void apply_acme();
  void on_certificates(const tls::CertificateHealth& health,
                       const std::vector<tls::CertificateStore::Exchanged>& exchanged) override;
  void show_status();
  void check_served(const tls::CertificateStore::Exchanged& exchanged);
  void say_warnings();
  void tend_logs();
  ops::ServerFacts facts() const override;
  void note_reload(const Error* error);
  void stop_modules();

  // Commands (server_control.cc)
  void bind_control(Built& built, const Listening& now);
  void apply_control(Built& built);
  void on_question(std::uint64_t client, const std::vector<std::string>& words) override;
  void answer_cache_clear(std::uint64_t client, const std::vector<std::string>& words);
  std::string log_names() const;
  void answer_reloads(const Error* error);

  void begin_to_finish();

  // Reload (server_reload.cc)
  void begin_reload();
  Result<Built> build(std::uint64_t number, const Listening& now);
  void on_built(Result<Built> built);
  void on_adopted();
  void end_reload(const Error* error);
  void on_lane(std::function<void()> work, net::Task done);

  const World world_;
  const LaunchOptions options_;
  ServerEvents& events_;
  State state_ = State::Idle;

  // What survives a reload; each is built once and knows no other
  Stats stats_;
  LogFiles log_files_;
  tls::TicketKeys tickets_;
  tls::SessionCaches session_caches_;
  acme::AcmeModule acme_;
  tls::CertificateStore certificates_;
  files::FilesModule files_;
  upstream::UpstreamModule upstream_;
  api::ApiModule api_;
  http::LimitZones limits_;
  http::PasswordLanes passwords_;
  Survivors survivors_;
  FrontCounters counters_;
  std::shared_ptr<RelayLog> certificate_log_ = std::make_shared<RelayLog>();  // shared with a lane
  std::unique_ptr<tls::CertificateWatch> certificate_watch_;  // while Running or Finishing
  tls::ServedChecks served_checks_;
  std::string status_;  // as the service manager was told
  ops::StatusReport report_;
  ops::OpsModule ops_;
  ops::ControlServer control_;
  std::vector<std::uint64_t> waiting_for_reload_;  // clients of control_
  const MonoTime started_;
  const WallTime started_at_;
  std::uint64_t reloads_ = 0, failed_reloads_ = 0;
  std::optional<ops::ServerFacts::Reload> last_reload_;

  std::shared_ptr<net::WorkerLane> reload_lane_;
  std::unique_ptr<net::WorkerLane::Ticket> reload_ticket_;
  bool standing_by_ = false;
  bool reloading_ = false;
  bool reload_again_ = false;
  std::uint64_t next_generation_ = 1;
  std::shared_ptr<Generation> generation_;
  Listening listening_;
  /// Loop 0 first. Those beyond listening_.loops (a reload wanted fewer) accept nobody.
  std::vector<std::unique_ptr<ServingLoop>> loops_;
  std::size_t waited_for_ = 0;  // loops that have not adopted, emptied or ended yet
  std::unique_ptr<ShutdownTimer> shutdown_timer_;
  std::unique_ptr<FlushTimer> flush_timer_;
  std::unique_ptr<WatchdogTimer> watchdog_timer_;  // null: nobody watches
  std::unique_ptr<HeapTrimmer> heap_trimmer_;
};

}  // namespace gatescope::server
