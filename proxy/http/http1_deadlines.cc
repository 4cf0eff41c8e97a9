// The half of Http1Session that waits: one timer, armed for the nearest of the deadlines of its
// state.

#include <algorithm>

#include "proxy/http/http1_session.h"

namespace gatescope::http {
namespace {

// Bytes of later requests that may wait behind a running exchange.
constexpr std::size_t kMayWait = 16 * 1024;
constexpr std::string_view kTimedOut = "client timed out (110: Connection timed out)";

}  // namespace

// When the present state has waited long enough for the client's bytes; zero: it does not wait for
// any.
MonoTime Http1Session::read_deadline() const {
  switch (state_) {
    case State::Idle:
      if (!in_.empty())
        return MonoTime{};  // the next request waits for a client that does not read
      return state_since_ + (finishing_ ? keepalive_min_ : keepalive_timeout_);
    case State::Head:
      return state_since_ + settings_.header_timeout;
    case State::Exchange:
      return body_ == Body::Reading && body_wanted_ ? last_read_ + policy().body_timeout
                                                    : MonoTime{};
    case State::Draining:
    case State::Lingering:
      return std::min<MonoTime>(state_since_ + policy().lingering_time,
                                last_read_ + policy().lingering_timeout);
    case State::Closing:
    case State::Tunnel:
    case State::Over:
      break;
  }
  return MonoTime{};
}

void Http1Session::note_write_progress(MonoTime now) {
  const std::size_t unsent = stream_.unsent();
  const std::uint64_t left = written_ - std::min<std::uint64_t>(written_, unsent);
  if (unsent == 0) {
    write_deadline_ = MonoTime{};
  } else if (write_deadline_ == MonoTime{} || left > left_mark_) {
    write_deadline_ = now + policy().send_timeout;
  }
  left_mark_ = left;
}

void Http1Session::arm() {
  if (state_ == State::Tunnel) return timer_->stop();
  const MonoTime now = loop_.clock().now();
  note_write_progress(now);
  // A slow reader is idle from when its answer has left, not from when the stream took it.
  if (state_ == State::Idle && stream_.unsent() > 0) state_since_ = now;
  MonoTime due{};
  const auto consider = [&](MonoTime at) {
    if (at != MonoTime{} && (due == MonoTime{} || at < due)) due = at;
  };
  consider(read_deadline());
  consider(write_deadline_);
  if (due == MonoTime{}) return timer_->stop();
  timer_->start(std::max(Duration::zero(), std::chrono::ceil<Duration>(due - now)));
}

void Http1Session::on_timer(net::Timer&) {
  schedule();  // arms again
  const MonoTime now = loop_.clock().now();
  note_write_progress(now);
  if (write_deadline_ != MonoTime{} && now >= write_deadline_) {
    log_client(host_, LogLevel::Info, kTimedOut, "sending response to client");
    if (policy().reset_timed_out) stream_.reset_on_close();
    return client_gone(make_error(ErrorKind::Timeout, Origin::Client, std::string(kTimedOut)));
  }
  if (const MonoTime at = read_deadline(); at != MonoTime{} && now >= at) return on_read_deadline();
}

void Http1Session::on_read_deadline() {
  switch (state_) {
    case State::Idle:
      if (requests_ == 0) log_client(host_, LogLevel::Info, kTimedOut, "waiting for request");
      return close(false);
    case State::Head:
      if (!scanner_->begun()) return close(false);
      scanner_->refuse(408, std::string(kTimedOut));
      begin_exchange(in_);
      in_.clear();
      return;
    case State::Exchange:
      body_ = Body::Failed;
      return exchange_->on_body_failed(
          408, make_error(ErrorKind::Timeout, Origin::Client, std::string(kTimedOut)));
    case State::Draining:
      return close(false);
    default:
      // What has not left yet may still do so, as long as it moves.
      state_ = State::Closing;
  }
}

void Http1Session::update_reading() {
  bool wanted = false;
  switch (state_) {
    case State::Idle:
    case State::Head:
      wanted = !output_full() || in_.size() < kMayWait;
      break;
    case State::Exchange:
      wanted = body_ == Body::Reading ? body_wanted_ : in_.size() < kMayWait;
      break;
    case State::Draining:
    case State::Lingering:
      wanted = true;
      break;
    case State::Closing:
    case State::Tunnel:
    case State::Over:
      break;
  }
  wanted = wanted && !ended_;
  if (wanted == reading_) return;
  reading_ = wanted;
  if (wanted) {
    stream_.start_reading();
  } else {
    stream_.stop_reading();
  }
}

/// An idle connection has none; the thread keeps them for the next request of any.
void Http1Session::release_buffers() {
  free_storage(in_);
  out_.shrink();
  arena_.release();
  scanner_.reset();
  body_parser_.shrink();
  if (stream_.unsent() == 0) policy_.reset();  // its send_timeout goes on
}

}  // namespace gatescope::http
