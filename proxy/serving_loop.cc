#include "proxy/serving_loop.h"

#include <utility>

namespace gatescope::server {

ServingLoop::ServingLoop(net::Loop& home, std::unique_ptr<net::ExtraLoop> thread,
                         FrontCounters& counters, upstream::UpstreamModule& upstream,
                         http::PasswordLanes& passwords, ServingLoopEvents& events)
    : home_(home),
      thread_(std::move(thread)),
      loop_(thread_ ? thread_->loop() : home),
      counters_(counters),
      upstream_(upstream),
      passwords_(passwords),
      events_(events) {}

ServingLoop::~ServingLoop() {
  if (thread_) thread_->stop();
  front_.reset();
  upstream_.forget_loop(loop_);
  passwords_.forget_loop(loop_);
}

void ServingLoop::run(net::Task task) {
  if (!thread_) return task();
  loop_.post(std::move(task));
}

void ServingLoop::reply(net::Task task) {
  if (!thread_) return task();
  home_.post([alive = std::weak_ptr<int>(alive_), task = std::move(task)] {
    if (!alive.expired()) task();
  });
}

void ServingLoop::start(std::shared_ptr<const Generation> generation,
                        std::vector<ListenSocket> sockets) {
  front_ = std::make_unique<Front>(loop_, counters_, *this);
  front_->adopt(std::move(generation), std::move(sockets));
  if (thread_) thread_->start();
}

void ServingLoop::adopt(std::shared_ptr<const Generation> generation,
                        std::vector<ListenSocket> sockets, net::Task done) {
  // Shared because a Task must be copyable, and descriptors are not.
  auto shared = std::make_shared<std::vector<ListenSocket>>(std::move(sockets));
  run([this, generation = std::move(generation), shared, done = std::move(done)]() mutable {
    if (front_) front_->adopt(std::move(generation), std::move(*shared));
    reply(std::move(done));
  });
}

void ServingLoop::greet(net::Task done) {
  run([this, done = std::move(done)]() mutable { reply(std::move(done)); });
}

void ServingLoop::finish() {
  run([this] {
    if (front_) front_->finish();
  });
}

void ServingLoop::wind_down() {
  run([this] {
    if (front_) front_->wind_down();
  });
}

void ServingLoop::on_front_empty() {
  reply([this] { events_.on_loop_empty(*this); });
}

void ServingLoop::abandon(net::Task done) {
  run([this, done = std::move(done)]() mutable {
    front_->abandon();
    if (!thread_) return done();
    // In a later turn: the connections end with this one, and write their last lines.
    loop_.post([this, done = std::move(done)]() mutable {
      front_.reset();
      upstream_.forget_loop(loop_);
      passwords_.forget_loop(loop_);
      reply(std::move(done));
    });
  });
}

}  // namespace gatescope::server
