#include "proxy/server.h"

#include <fmt/format.h>

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

/// Once a second: what the logs do by time, and what they lost.
class Server::FlushTimer final : public net::TimerEvents {
 public:
  explicit FlushTimer(Server& server)
      : server_(server), timer_(server.world_.loop.make_timer(*this)) {
    timer_->start(Duration(1000));
  }
  void on_timer(net::Timer& timer) override {
    server_.tend_logs();
    timer.start(Duration(1000));
  }

 private:
  Server& server_;
  const std::unique_ptr<net::Timer> timer_;
};

Server::Server(World world, LaunchOptions options, ServerEvents& events)
    : world_(world),
      options_(std::move(options)),
      events_(events),
      log_files_(world.logs),
      tickets_(world.clock),
      session_caches_(world.clock),
      files_(world.clock, stats_),
      api_(world.loop, stats_),
      survivors_{world.clock,   stats_, log_files_, tickets_, session_caches_,
                 world.secrets, files_, upstream_,  api_,     limits_} {}

Server::~Server() {
  front_.reset();
  upstream_.forget_loop(world_.loop);
}

Result<std::shared_ptr<Generation>> Server::check() {
  return load_generation(options_, next_generation_++, world_.files, survivors_);
}

Result<void> Server::start() {
  files_.add_lane(world_.loop,
                  world_.loop.make_lane({.name = "gs-files", .threads = 2, .queue_limit = 1024}));
  if (world_.logs_in_background) log_files_.start_writer();
  auto loaded = check();
  if (!loaded) return loaded.error();
  generation_ = std::move(*loaded);
  front_ = std::make_unique<Front>(world_.loop, stats_, *this);
  if (auto adopted = front_->adopt(generation_); !adopted) return adopted.error();
  if (auto applied = api_.apply(*generation_->configuration.main, log()); !applied)
    return applied.error();
  say_warnings();
  flush_timer_ = std::make_unique<FlushTimer>(*this);
  heap_trimmer_ = std::make_unique<HeapTrimmer>(world_.loop);
  state_ = State::Running;
  return {};
}

void Server::say_warnings() {
  for (const auto& warning : generation_->configuration.warnings)
    log().print(LogLevel::Warn, "{} in {}", warning.text, conf::to_string(warning.place));
}

void Server::reload() {
  if (state_ != State::Running) return;
  if (reload_ticket_) {
    reload_again_ = true;
    return;
  }
  begin_reload();
}

void Server::begin_reload() {
  reload_again_ = false;
  if (!reload_lane_)
    reload_lane_ = world_.loop.make_lane({.name = "gs-reload", .threads = 1, .queue_limit = 1});
  log().print(LogLevel::Notice, "reconfiguring");
  auto result =
      std::make_shared<std::optional<Result<std::shared_ptr<Generation>>>>();  // shared: worker
                                                                               // fills, loop takes
  auto ticket = reload_lane_->submit(
      [this, result, number = next_generation_++](unsigned) {
        result->emplace(load_generation(options_, number, world_.files, survivors_));
      },
      [this, result] { end_reload(std::move(**result)); });
  if (ticket) reload_ticket_ = std::move(*ticket);
}

void Server::end_reload(Result<std::shared_ptr<Generation>> loaded) {
  world_.loop.discard(std::move(reload_ticket_));
  std::optional<Error> failed;
  if (state_ != State::Running) return;
  if (!loaded) {
    failed = loaded.error();
  } else if (auto adopted = front_->adopt(*loaded); !adopted) {
    failed = adopted.error();
  } else {
    generation_ = std::move(*loaded);
    if (auto applied = api_.apply(*generation_->configuration.main, log()); !applied)
      failed = applied.error();
    say_warnings();
    log().print(LogLevel::Notice, "configuration {} serves", generation_->number);
  }
  if (failed) log().print(LogLevel::Emerg, "{}; the running configuration goes on", failed->detail);
  if (reload_again_) begin_reload();
  events_.on_reloaded(failed ? &*failed : nullptr);
}

void Server::finish() {
  if (state_ != State::Running) return;
  state_ = State::Finishing;
  log().print(LogLevel::Notice, "gracefully shutting down");
  if (const auto patience = generation_->main().worker_shutdown_timeout.get(); patience.count() > 0)
    shutdown_timer_ = std::make_unique<ShutdownTimer>(*this, patience);
  front_->finish();
}

void Server::stop() {
  if (state_ != State::Running && state_ != State::Finishing) return;
  state_ = State::Stopped;
  front_->abandon();
  stop_modules();
}

void Server::on_front_empty() {
  if (state_ != State::Finishing) return;
  state_ = State::Stopped;
  stop_modules();
}

void Server::stop_modules() {
  shutdown_timer_.reset();
  api_.stop([this] {
    log().print(LogLevel::Notice, "exit");
    log_files_.flush();
    events_.on_server_stopped();
  });
}

void Server::tend_logs() {
  const auto now = world_.loop.clock().now();
  log_files_.tick(now, world_.loop.clock().wall());
  stats_.counter("log_lines_lost", "lines", "Lines that no log could be given")
      .set(static_cast<std::int64_t>(log_files_.lost_lines()));
  for (const auto& loss : log_files_.take_losses(now))
    log().print(LogLevel::Crit, "{}", loss);
}

void Server::reopen_logs() {
  log().print(LogLevel::Notice, "reopening logs");
  for (const auto& failure : log_files_.reopen())
    log().print(LogLevel::Emerg, "{}", failure);
}

}  // namespace gatescope::server
