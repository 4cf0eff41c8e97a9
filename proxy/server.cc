#include "proxy/server.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "certs/handover.h"
#include "conf/lint.h"

namespace gatescope::server {

/// worker_shutdown_timeout: the patience of a graceful stop.
class Server::ShutdownTimer final : public net::TimerEvents {
 public:
  ShutdownTimer(Server& server, Duration patience)
      : server_(server), timer_(server.world_.loop.make_timer(*this)) {
    timer_->start(patience);
  }
  void on_timer(net::Timer&) override { server_.stop(); }

 private:
  Server& server_;
  const std::unique_ptr<net::Timer> timer_;
};

/// Once a second: what the logs do by time, and what they lost, and how the server fares. While
/// nobody is connected that is looked at every ten seconds: an idle machine need not be kept awake.
class Server::FlushTimer final : public net::TimerEvents {
 public:
  explicit FlushTimer(Server& server)
      : server_(server), timer_(server.world_.loop.make_timer(*this)) {
    timer_->start(Duration(1000));
  }
  void on_timer(net::Timer& timer) override {
    server_.tend_logs();
    const auto clients = server_.counters_.totals.counts();
    const auto accepted = std::exchange(accepted_, clients.accepted);
    quiet_ = clients.active > 0 || accepted != accepted_ ? 0 : quiet_ + 1;
    if (quiet_ < kQuiet || quiet_ % 10 == 0) {
      server_.report_.tick();
      if (++looks_ % kShownEvery == 0) server_.show_status();
    }
    timer.start(Duration(1000));
  }

 private:
  static constexpr std::uint64_t kQuiet = 60;
  static constexpr std::uint64_t kShownEvery = 5;  // to the service manager; in looks

  Server& server_;
  std::int64_t accepted_ = 0;  // a second ago
  std::uint64_t quiet_ = 0;    // seconds without a client
  std::uint64_t looks_ = 0;
  const std::unique_ptr<net::Timer> timer_;
};

/// The service manager hears of us four times in the time that it gives us, as long as every loop
/// turns: one that hangs would otherwise be noticed by its clients alone.
class Server::WatchdogTimer final : public net::TimerEvents {
 public:
  WatchdogTimer(Server& server, Duration period)
      : server_(server), pause_(period / 4), timer_(server.world_.loop.make_timer(*this)) {
    on_timer(*timer_);
  }
  void on_timer(net::Timer& timer) override {
    timer.start(pause_);
    if (silent_ > 0) return;  // a loop has not answered since the last time
    server_.world_.service->feed_watchdog();
    silent_ = server_.loops_.size();
    for (const auto& loop : server_.loops_)
      loop->greet([this] { --silent_; });  // loops are destroyed before this
  }

 private:
  Server& server_;
  const Duration pause_;
  std::size_t silent_ = 0;
  const std::unique_ptr<net::Timer> timer_;
};

Server::Server(World world, LaunchOptions options, ServerEvents& events)
    : world_(world),
      options_(std::move(options)),
      events_(events),
      log_files_(world.logs),
      tickets_(world.clock),
      session_caches_(world.clock),
      acme_({.loop = world.loop,
             .clock = world.clock,
             .secrets = world.secrets,
             .tickets = tickets_,
             .caches = session_caches_,
             .https = world.https}),
      certificates_(acme_.secrets(), tickets_, session_caches_),
      files_(world.clock, stats_),
      upstream_(&world.secrets, world.dns, &stats_),
      api_(world.loop, stats_, log_files_, world.clock,
           [&secrets = world.secrets](const std::string& path) {
             return secrets.read_secret(path);
           }),
      survivors_{world.clock, stats_, log_files_, certificates_, world.secrets, files_,
                 upstream_,   api_,   acme_,      limits_,       passwords_,    ops_},
      counters_(stats_),
      served_checks_(world.loop, *certificate_log_),
      report_(stats_, *this, world.loop.clock()),
      ops_(report_, counters_.totals),
      control_(world.loop, *this, *certificate_log_),
      started_(world.loop.clock().now()),
      started_at_(world.loop.clock().wall()) {}

Server::~Server() {
  reload_ticket_.reset();
  loops_.clear();
}

Result<std::shared_ptr<Generation>> Server::read() {
  return read_generation(options_, next_generation_++, world_.files, survivors_);
}

Result<std::shared_ptr<Generation>> Server::check() {
  return load_generation(options_, next_generation_++, world_.files, survivors_);
}

std::vector<conf::Warning> Server::lint(const Generation& generation) {
  conf::Schema schema;
  describe(schema);
  conf::Lint lint(*generation.configuration.document, options_.prefix,
                  options_.conf_path.substr(0, options_.conf_path.rfind('/') + 1),
                  world_.clock.wall());
  schema.lint(lint);
  auto warnings = generation.configuration.warnings;
  warnings.insert(warnings.end(), lint.warnings().begin(), lint.warnings().end());
  return warnings;
}

Result<void> Server::start() {
  if (world_.logs_in_background) log_files_.start_writer();
  auto built = build(next_generation_++, listening_);
  if (!built) return built.error();
  generation_ = std::move(built->generation);
  auto& sockets = built->sockets;
  // A worker before this one may have left others
  if (auto kept = world_.sockets.retain(sockets.listening.names()); !kept) return kept;
  files_.apply(*generation_->configuration.main);
  files_.watch(world_.loop);
  add_loops(sockets.listening.loops);
  apply_upstream();  // before a request comes: servers may wait for their first check
  for (std::size_t i = 0; i < loops_.size(); ++i)
    loops_[i]->start(generation_, std::move(sockets.by_loop[i]));
  apply_control(*built);
  listening_ = std::move(sockets.listening);
  counters_.loops = listening_.loops;
  if (auto applied = api_.apply(*generation_->configuration.main, generation_->error_log); !applied)
    return applied.error();
  apply_acme();
  say_warnings();
  flush_timer_ = std::make_unique<FlushTimer>(*this);
  heap_trimmer_ = std::make_unique<HeapTrimmer>(world_.loop);
  if (world_.service)
    if (const auto period = world_.service->watchdog(); period.count() > 0)
      watchdog_timer_ = std::make_unique<WatchdogTimer>(*this, period);
  state_ = State::Running;
  tend_logs();  // whoever asks for metrics in the first second sees all of them
  report_.tick();
  return {};
}

/// Made, not started.
void Server::add_loops(unsigned wanted) {
  while (loops_.size() < wanted) {
    auto thread = loops_.empty()
                      ? nullptr
                      : world_.more_loops.make_loop(static_cast<unsigned>(loops_.size()));
    auto& added = loops_.emplace_back(std::make_unique<ServingLoop>(
        world_.loop, std::move(thread), counters_, upstream_, passwords_, *this));
    files_.add_lane(added->loop(), added->loop().make_lane(
                                       {.name = "gs-files", .threads = 2, .queue_limit = 1024}));
  }
}

/// Names are watched and servers checked from loop 0, with what the generation says.
void Server::apply_upstream() {
  upstream_.apply(
      world_.loop,
      std::shared_ptr<const conf::Scope>(generation_, generation_->configuration.main.get()),
      generation_->error_log);
}

void Server::apply_acme() {
  certificate_log_->relay_to(generation_->error_log);
  if (!certificate_watch_)
    certificate_watch_ = std::make_unique<tls::CertificateWatch>(
        world_.loop, certificates_, stats_, certificate_log_,
        static_cast<tls::CertificateWatchEvents&>(*this));
  acme_.apply(*generation_->configuration.main, generation_->error_log, *certificate_watch_);
  if (standing_by_) acme_.rest();
  std::vector<std::shared_ptr<tls::ServedContext>> served;
  for (const auto& server : generation_->routing->servers)
    if (server->tls) served.push_back(server->tls);
  certificates_.set_current(served);
  certificate_watch_->judge();
}

void Server::on_certificates(const tls::CertificateHealth&,
                             const std::vector<tls::CertificateStore::Exchanged>& exchanged) {
  for (const auto& one : exchanged)
    check_served(one);
  report_.refresh();
  show_status();
}

void Server::show_status() {
  if (world_.service == nullptr) return;
  auto line = report_.line();
  if (line == status_) return;
  status_ = std::move(line);
  world_.service->show_status(status_);
}

/// As a client would ask for it: at every address, with a name of the certificate that leads there.
void Server::check_served(const tls::CertificateStore::Exchanged& exchanged) {
  if (state_ != State::Running) return;
  for (const auto& address : generation_->routing->addresses) {
    if (!address->tls) continue;
    for (const auto& certificate : exchanged.certificates) {
      const auto leads_there = [&](const std::string& name) {
        return address->names.find(name).tls == exchanged.served;
      };
      const auto name = std::ranges::find_if(certificate.names, [&](std::string name) {
        if (name.starts_with('*')) name.replace(0, 1, "www");
        return leads_there(name);
      });
      std::string asked = name != certificate.names.end() ? *name : std::string();
      if (asked.starts_with('*')) asked.replace(0, 1, "www");
      if (asked.empty() && !leads_there({})) continue;
      served_checks_.add({.address = address->endpoint,
                          .proxy_protocol = address->proxy_protocol,
                          .name = std::move(asked),
                          .expected = certificate});
    }
  }
}

void Server::say_warnings() {
  for (const auto& warning : generation_->configuration.warnings)
    log().print(LogLevel::Warn, "{} in {}", warning.text, conf::to_string(warning.place));
  const auto& main = generation_->main();
  const auto clients = main.worker_connections.get() * main.worker_processes.get();
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && clients > files.rlim_cur)
    log().print(LogLevel::Warn,
                "{} worker_connections of all loops exceed open file resource limit: {}", clients,
                files.rlim_cur);
}

void Server::finish() {
  if (state_ != State::Running) return;
  begin_to_finish();
  for (const auto& loop : loops_)
    loop->finish();
}

void Server::wind_down() {
  if (state_ != State::Running) return;
  begin_to_finish();
  for (const auto& loop : loops_)
    loop->wind_down();
}

void Server::begin_to_finish() {
  state_ = State::Finishing;
  log().print(LogLevel::Notice, "gracefully shutting down");
  if (const auto patience = generation_->main().worker_shutdown_timeout.get(); patience.count() > 0)
    shutdown_timer_ = std::make_unique<ShutdownTimer>(*this, patience);
  report_.refresh();
  control_.stop_listening();
  waited_for_ = loops_.size();
}

void Server::on_loop_empty(ServingLoop&) {
  if (state_ != State::Finishing || --waited_for_ > 0) return;
  stop();
}

void Server::stop() {
  if (state_ != State::Running && state_ != State::Finishing) return;
  state_ = State::Stopped;
  waited_for_ = loops_.size();
  for (const auto& loop : loops_)
    loop->abandon([this] {
      if (--waited_for_ == 0) stop_modules();
    });
}

void Server::stop_modules() {
  shutdown_timer_.reset();
  upstream_.stop();
  acme_.stop();
  certificate_watch_.reset();
  served_checks_.cancel();
  api_.stop([this] {
    log().print(LogLevel::Notice, "exit");
    log_files_.flush();
    events_.on_server_stopped();
  });
}

void Server::tend_logs() {
  const auto now = world_.loop.clock().now();
  log_files_.tick(now, world_.loop.clock().wall());
  stats_.counter("log_lines_lost", "lines", "Lines that no log could be given.")
      .set(static_cast<std::int64_t>(log_files_.lost_lines()));
  for (const auto& loss : log_files_.take_losses(now))
    log().print(LogLevel::Crit, "{}", loss);
}

void Server::stand_by(bool another_serves) {
  if (state_ != State::Running || std::exchange(standing_by_, another_serves) == another_serves)
    return;
  log().write(LogLevel::Notice, another_serves
                                    ? "another program serves beside this one, and does what is "
                                      "done in the background"
                                    : "this program does what is done in the background");
  apply_acme();
  api_.rest(another_serves);
  // Both have the socket: the new program is whom commands mean
  another_serves ? control_.stop_accepting() : control_.resume_accepting();
}

std::string Server::hand_over() {
  return tls::save_sessions(tickets_, session_caches_);
}

void Server::take_over(std::string_view handed_over) {
  tls::restore_sessions(handed_over, tickets_, session_caches_);
}

void Server::reopen_logs() {
  log().print(LogLevel::Notice, "reopening logs");
  for (const auto& failure : log_files_.reopen())
    log().print(LogLevel::Emerg, "{}", failure);
}

}  // namespace gatescope::server
