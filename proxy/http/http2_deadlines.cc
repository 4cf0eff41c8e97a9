// The part of Http2Session that waits: one timer, armed for the nearest deadline of the connection
// and of its streams.

#include <algorithm>

#include "proxy/http/http2_session.h"

namespace gatescope::http {
namespace {

constexpr std::string_view kTimedOut = "client timed out (110: Connection timed out)";

}  // namespace

MonoTime Http2Session::connection_deadline() const {
  if (state_ == State::Lingering) {
    const ExchangePolicy usual;
    return std::min<MonoTime>(state_since_ + usual.lingering_time,
                              last_read_ + usual.lingering_timeout);
  }
  if (state_ == State::Preface) return state_since_ + settings_.header_timeout;
  if (state_ != State::Open) return MonoTime{};
  if (goodbye_ == Goodbye::Noticed) return goodbye_due_;
  if (block_.open)
    return block_.since + (block_.timed_out ? keepalive_timeout_ : settings_.header_timeout);
  if (!streams_.empty()) return MonoTime{};
  const bool short_wait = finishing_ && keepalive_min_ > Duration::zero();
  return state_since_ +
         (short_wait ? std::min(keepalive_min_, keepalive_timeout_) : keepalive_timeout_);
}

/// When the stream has waited long enough for its body, or for its window.
MonoTime Http2Session::stream_deadline(Http2Stream& stream, MonoTime now) {
  MonoTime due{};
  if (stream.awaits_input()) due = stream.last_read() + stream.policy().body_timeout;
  auto& stalled = stream.stalled_since();
  const bool shut =
      (stream.queued() > 0 || stream.only_end_left()) && !stream.closed() && is_shut(stream.id());
  if (!shut) {
    stalled = MonoTime{};
  } else if (stalled == MonoTime{}) {
    stalled = now;
  }
  if (shut) {
    const MonoTime at = stalled + stream.policy().send_timeout;
    due = due == MonoTime{} ? at : std::min(due, at);
  }
  return due;
}

void Http2Session::note_write_progress(MonoTime now) {
  const std::size_t unsent = stream_.unsent();
  const std::uint64_t left = written_ - std::min<std::uint64_t>(written_, unsent);
  if (unsent == 0) {
    write_deadline_ = MonoTime{};
  } else if (write_deadline_ == MonoTime{} || left > left_mark_) {
    const auto& timeout =
        streams_.empty() ? send_timeout_ : streams_.front()->policy().send_timeout;
    write_deadline_ = now + timeout;
  }
  left_mark_ = left;
}

void Http2Session::arm() {
  const MonoTime at = now();
  note_write_progress(at);
  // A slow reader is idle from when its answers have left, not from when the stream took them.
  if (state_ == State::Open && streams_.empty() && stream_.unsent() > 0) state_since_ = at;
  MonoTime due{};
  const auto consider = [&](MonoTime when) {
    if (when != MonoTime{} && (due == MonoTime{} || when < due)) due = when;
  };
  consider(connection_deadline());
  consider(write_deadline_);
  for (const auto& stream : streams_)
    consider(stream_deadline(*stream, at));
  if (due == MonoTime{}) return timer_->stop();
  timer_->start(std::max(Duration::zero(), std::chrono::ceil<Duration>(due - at)));
}

void Http2Session::on_timer(net::Timer&) {
  schedule();  // arms again
  const MonoTime at = now();
  note_write_progress(at);
  if (write_deadline_ != MonoTime{} && at >= write_deadline_) {
    log_client(host_, LogLevel::Info, kTimedOut, "sending response to client");
    const bool reset =
        streams_.empty() ? reset_timed_out_ : streams_.front()->policy().reset_timed_out;
    if (reset) stream_.reset_on_close();
    gone_ = true;
    return lose_streams(make_error(ErrorKind::Timeout, Origin::Client, std::string(kTimedOut)));
  }
  if (const MonoTime due = connection_deadline(); due != MonoTime{} && at >= due)
    on_connection_deadline();
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    Http2Stream& stream = *streams_[i];
    const MonoTime due = stream_deadline(stream, at);
    if (due == MonoTime{} || at < due) continue;
    if (stream.stalled_since() != MonoTime{} &&
        at >= stream.stalled_since() + stream.policy().send_timeout) {
      log_client(host_, LogLevel::Info, kTimedOut, "waiting for its HTTP/2 window");
      submit_reset(stream.id(), NGHTTP2_CANCEL);
      stream.client_gone(make_error(ErrorKind::Timeout, Origin::Client, std::string(kTimedOut)));
    } else {
      stream.on_input_timeout();
    }
  }
}

void Http2Session::on_connection_deadline() {
  switch (state_) {
    case State::Preface:
      log_client(host_, LogLevel::Info, kTimedOut, "waiting for HTTP/2 preface");
      return say_goodbye_and_close();
    case State::Open:
      if (goodbye_ == Goodbye::Noticed)
        return say_goodbye(nghttp2_session_get_last_proc_stream_id(session_));
      if (block_.open) return on_block_deadline();
      if (requests_ == 0) log_client(host_, LogLevel::Info, kTimedOut, "waiting for request");
      return say_goodbye_and_close();
    default:
      // What has not left yet may still do so, as long as it moves.
      state_ = State::Closing;
  }
}

/// As nginx: the stream is reset, others go on. One that lets its block hang even then, as long as
/// an idle connection may live, holds up all of them.
void Http2Session::on_block_deadline() {
  log_client(host_, LogLevel::Info, kTimedOut, "reading client request headers");
  if (block_.timed_out) return say_goodbye_and_close();
  block_.timed_out = true;
  block_.since = now();
  if (block_.stream != nullptr) submit_reset(block_.stream->id(), NGHTTP2_PROTOCOL_ERROR);
}

void Http2Session::say_goodbye_and_close() {
  say_goodbye(nghttp2_session_get_last_proc_stream_id(session_));
  lose_streams(make_error(ErrorKind::Timeout, Origin::Client, std::string(kTimedOut)));
  flush();
  close(true);
}

void Http2Session::update_reading() {
  const bool serving = state_ == State::Preface || state_ == State::Open;
  const bool wanted = !ended_ && (serving || state_ == State::Lingering);
  if (wanted == reading_) return;
  reading_ = wanted;
  if (wanted) {
    stream_.start_reading();
  } else {
    stream_.stop_reading();
  }
}

/// An idle connection has none; the thread keeps them for the next request of any.
void Http2Session::release_buffers() {
  out_.shrink();
  reader_.release();
  free_storage(fields_);
  free_storage(streams_);
}

}  // namespace gatescope::http
