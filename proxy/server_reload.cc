// The half of Server that exchanges the configuration:
//   begin_reload -> (lane: build) -> on_built -> (each loop: adopt) -> on_adopted
//                -> (lane: let go of sockets) -> end_reload

#include <optional>
#include <utility>

#include "proxy/server.h"

namespace gatescope::server {

void Server::reload() {
  if (state_ != State::Running) return;
  if (reloading_) {
    reload_again_ = true;
    return;
  }
  begin_reload();
}

void Server::on_lane(std::function<void()> work, net::Task done) {
  if (!reload_lane_)
    reload_lane_ = world_.loop.make_lane({.name = "gs-reload", .threads = 1, .queue_limit = 2});
  auto ticket =
      reload_lane_->submit([work = std::move(work)](unsigned) { work(); }, std::move(done));
  if (!ticket) return;  // cannot be: one after the other
  world_.loop.discard(std::move(reload_ticket_));
  reload_ticket_ = std::move(*ticket);
}

void Server::begin_reload() {
  reloading_ = true;
  reload_again_ = false;
  log().print(LogLevel::Notice, "reconfiguring");
  auto result =
      std::make_shared<std::optional<Result<Built>>>();  // shared: worker fills, loop takes
  on_lane([this, result, number = next_generation_++,
           now = listening_] { result->emplace(build(number, now)); },
          [this, result] { on_built(std::move(**result)); });
}

Result<Server::Built> Server::build(std::uint64_t number, const Listening& now) {
  auto generation = load_generation(options_, number, world_.files, survivors_);
  if (!generation) return generation.error();
  const auto loops = static_cast<unsigned>((*generation)->main().worker_processes.get());
  auto sockets = bind_sockets(*(*generation)->routing, loops, now, world_.sockets);
  if (!sockets) {
    (void)world_.sockets.retain(now.names());  // those that could be bound
    return sockets.error();
  }
  Built built{std::move(*generation), std::move(*sockets), {}, {}};
  bind_control(built, now);
  return built;
}

void Server::on_built(Result<Built> built) {
  if (state_ != State::Running) return;
  if (!built) return end_reload(&built.error());
  auto& sockets = built->sockets;
  generation_ = std::move(built->generation);
  apply_control(*built);
  const std::size_t before = loops_.size();
  add_loops(sockets.listening.loops);
  sockets.by_loop.resize(loops_.size());
  listening_ = std::move(sockets.listening);
  for (std::size_t i = before; i < loops_.size(); ++i)
    loops_[i]->start(generation_, std::move(sockets.by_loop[i]));
  counters_.loops = listening_.loops;
  waited_for_ = before;
  for (std::size_t i = 0; i < before; ++i)
    loops_[i]->adopt(generation_, std::move(sockets.by_loop[i]), [this] {
      if (state_ == State::Running && --waited_for_ == 0) on_adopted();
    });
}

// Every loop serves the new configuration, and none listens where it does not any more.
void Server::on_adopted() {
  auto failed = std::make_shared<std::optional<Error>>();  // shared: worker fills, loop takes
  files_.apply(*generation_->configuration.main);
  if (auto applied = api_.apply(*generation_->configuration.main, generation_->error_log); !applied)
    *failed = applied.error();
  apply_upstream();
  apply_acme();
  say_warnings();
  on_lane(
      [this, failed, names = listening_.names()] {
        if (auto kept = world_.sockets.retain(names); !kept && !*failed) *failed = kept.error();
      },
      [this, failed] { end_reload(*failed ? &**failed : nullptr); });
}

void Server::end_reload(const Error* error) {
  world_.loop.discard(std::move(reload_ticket_));
  if (state_ != State::Running) return;
  reloading_ = false;
  note_reload(error);
  if (error) log().print(LogLevel::Emerg, "{}; the running configuration goes on", error->detail);
  if (!reload_again_) answer_reloads(error);
  if (reload_again_) begin_reload();
  events_.on_reloaded(error);
}

}  // namespace gatescope::server
