#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "proxy/base/log.h"
#include "proxy/front.h"
#include "proxy/generation.h"
#include "proxy/heap.h"

namespace gatescope::server {

/// The outside world as the server is given it: real in main.cc, simulated in the tests. All of it
/// outlives the Server.
struct World {
  net::Loop& loop;
  const Clock&
      clock;  // for what several threads use; a loop's own clock stands still within a turn
  conf::FileReader& files;
  tls::SecretReader& secrets;
  LogOpener& logs;
  bool logs_in_background = false;  // a thread writes access logs; the simulated world has none
};

class ServerEvents {
 public:
  virtual ~ServerEvents() = default;
  /// After stop() or finish(): everything has ended. The Server may be destroyed (not inside).
  virtual void on_server_stopped() = 0;
  /// A reload has ended; `error` is null when the new configuration serves.
  virtual void on_reloaded(const Error* error) = 0;
};

/// The serving process: what survives a reload, the current generation, the Front of each loop.
/// Idle -> Running -> Finishing -> Stopped, Running -> Stopped.
class Server final : public FrontEvents {
 public:
  Server(World world, LaunchOptions options, ServerEvents& events);
  ~Server();

  /// -t: loads everything and listens nowhere.
  Result<std::shared_ptr<Generation>> check();
  /// Loads the configuration and listens; blocking, before the loop runs.
  Result<void> start();
  /// HUP: builds the new generation on a worker thread, swaps it in, tells on_reloaded. What does
  /// not load leaves the running one in place. A second call while one runs is done after it.
  void reload();
  /// QUIT: no new connections, idle ones close, exchanges finish (at most worker_shutdown_timeout).
  void finish();
  /// TERM, INT: everything ends now.
  void stop();
  /// USR1.
  void reopen_logs();

  /// Every directive table, for the reference.
  void describe(conf::Schema& schema) { add_all_directives(schema, survivors_); }
  const Generation& generation() const { return *generation_; }
  std::size_t connections() const { return front_ ? front_->connections() : 0; }
  Stats& stats() { return stats_; }
  Log& log() { return *generation_->error_log; }
  void on_front_empty() override;

 private:
  enum class State { Idle, Running, Finishing, Stopped };
  class ShutdownTimer;
  class FlushTimer;
  void begin_reload();
  void end_reload(Result<std::shared_ptr<Generation>> loaded);
  void say_warnings();
  void tend_logs();
  void stop_modules();

  const World world_;
  const LaunchOptions options_;
  ServerEvents& events_;
  State state_ = State::Idle;

  // What survives a reload; each is built once and knows no other
  Stats stats_;
  LogFiles log_files_;
  tls::TicketKeys tickets_;
  tls::SessionCaches session_caches_;
  files::FilesModule files_;
  upstream::UpstreamModule upstream_;
  api::ApiModule api_;
  http::LimitZones limits_;
  Survivors survivors_;

  std::shared_ptr<net::WorkerLane> reload_lane_;
  std::unique_ptr<net::WorkerLane::Ticket> reload_ticket_;
  bool reload_again_ = false;
  std::uint64_t next_generation_ = 1;
  std::shared_ptr<Generation> generation_;
  std::unique_ptr<Front> front_;
  std::unique_ptr<ShutdownTimer> shutdown_timer_;
  std::unique_ptr<FlushTimer> flush_timer_;
  std::unique_ptr<HeapTrimmer> heap_trimmer_;
};

}  // namespace gatescope::server
