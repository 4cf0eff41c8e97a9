#include "certs/certificate_watch.h"

#include <utility>

namespace gatescope::tls {

CertificateWatch::CertificateWatch(net::Loop& loop, CertificateStore& store,
                                   std::shared_ptr<Log> log)
    : loop_(loop),
      store_(store),
      log_(std::move(log)),
      lane_(loop.make_lane({.name = "gs-certs", .threads = 1, .queue_limit = 2})),
      timer_(loop.make_timer(*this)) {
  timer_->start(kPause);
}

void CertificateWatch::look_now() {
  if (state_ == State::Looking) {
    again_ = true;
    return;
  }
  timer_->stop();
  auto ticket = lane_->submit([&store = store_, log = log_](unsigned) { store.look(*log); },
                              [this] { on_looked(); });
  if (!ticket) {
    timer_->start(kPause);
    return;
  }
  state_ = State::Looking;
  ticket_ = *std::move(ticket);
}

void CertificateWatch::on_timer(net::Timer&) {
  look_now();
}

void CertificateWatch::on_looked() {
  loop_.discard(std::move(ticket_));
  state_ = State::Waiting;
  if (std::exchange(again_, false)) return look_now();
  timer_->start(kPause);
}

}  // namespace gatescope::tls
