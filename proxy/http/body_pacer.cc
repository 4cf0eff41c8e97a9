#include "proxy/http/body_pacer.h"

#include <algorithm>

namespace gatescope::http {

namespace {
constexpr std::uint64_t kPerSecond = 8;  // pieces: fewer are a jerk, more are work
}

BodyPacer::BodyPacer(net::Loop& loop, std::uint64_t rate, std::uint64_t after, Events& events)
    : loop_(loop),
      rate_(rate),
      after_(after),
      events_(events),
      start_(loop.clock().now()),
      timer_(loop.make_timer(*this)) {}

Flow BodyPacer::add(SharedBytes bytes) {
  waiting_.append(std::move(bytes));
  if (timer_->running() || full_) return Flow::Wait;
  return pump() ? Flow::GoOn : Flow::Wait;
}

void BodyPacer::go_on() {
  full_ = false;
  if (timer_->running()) return;
  if (pump()) events_.on_all_paced();
}

void BodyPacer::on_timer(net::Timer&) {
  if (!full_ && pump()) events_.on_all_paced();
}

bool BodyPacer::pump() {
  while (!empty()) {
    const auto ms = std::chrono::floor<std::chrono::milliseconds>(loop_.clock().now() - start_);
    const auto seconds = static_cast<std::uint64_t>(ms.count()) / 1000;
    const auto thousandths = static_cast<std::uint64_t>(ms.count()) % 1000;
    const auto allowed = after_ + rate_ * (seconds + 1) + rate_ * thousandths / 1000;
    if (sent_ >= allowed) {
      const std::uint64_t left = rest_.size() + waiting_.size();
      const auto missing =
          sent_ - allowed + std::min(left, std::max<std::uint64_t>(1, rate_ / kPerSecond));
      timer_->start(Duration(static_cast<std::int64_t>(missing * 1000 / rate_ + 1)));
      return false;
    }
    auto piece = rest_.empty() ? waiting_.pop_front() : std::exchange(rest_, {});
    const auto now =
        static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), allowed - sent_));
    if (now < piece.size()) rest_ = piece.slice(now, piece.size() - now);
    sent_ += now;
    full_ = events_.on_paced(piece.slice(0, now)) == Flow::Wait;
    if (full_) return false;
  }
  return true;
}

}  // namespace gatescope::http
