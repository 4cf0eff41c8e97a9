#include "certs/certificate_watch.h"

#include <utility>

namespace gatescope::tls {

CertificateWatch::CertificateWatch(net::Loop& loop, CertificateStore& store, Stats& stats,
                                   std::shared_ptr<Log> log, CertificateWatchEvents& events)
    : loop_(loop),
      store_(store),
      log_(std::move(log)),
      events_(events),
      lane_(loop.make_lane({.name = "gs-certs", .threads = 1, .queue_limit = 2})),
      timer_(loop.make_timer(*this)),
      expiry_(stats) {
  timer_->start(kPause);
}

void CertificateWatch::look_now() {
  if (state_ == State::Looking) {
    again_ = true;
    return;
  }
  timer_->stop();
  auto exchanged =
      std::make_shared<std::vector<CertificateStore::Exchanged>>();  // lane fills, loop takes
  auto ticket = lane_->submit(
      [&store = store_, log = log_, exchanged](unsigned) { *exchanged = store.look(*log); },
      [this, exchanged] { on_looked(*exchanged); });
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

void CertificateWatch::on_looked(const std::vector<CertificateStore::Exchanged>& exchanged) {
  loop_.discard(std::move(ticket_));
  state_ = State::Waiting;
  if (std::exchange(again_, false)) {
    look_now();
  } else {
    timer_->start(kPause);
  }
  judge(exchanged);
}

void CertificateWatch::judge(const std::vector<CertificateStore::Exchanged>& exchanged) {
  expiry_.look(store_.served(), loop_.clock().wall(), *log_);
  events_.on_certificates(expiry_.health(), exchanged);
}

}  // namespace gatescope::tls
