#include "proxy/http/http2_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proxy/http/http2_library.h"
#include "proxy/http/http2_priority.h"

namespace gatescope::http {
namespace {

// What streams that somebody reads may have more than the window that each begins with.
constexpr std::size_t kToLend = 1024 * 1024;
// What is read behind the GOAWAY that ends a flood, so that the client may see it.
constexpr std::size_t kDroppedOfFlood = 1024 * 1024;
// RFC 9113 6.9.1
constexpr std::uint64_t kLargestWindow = (std::uint64_t{1} << 31) - 1;
// A client that does not answer a PING does not learn more by waiting longer.
constexpr Duration kGoodbyeTakes{1000};
constexpr std::uint8_t kGoodbyePing[8] = {'g', 'o', 'o', 'd', 'b', 'y', 'e', '!'};

/// A GOAWAY as it should be. It speaks of streams that we would begin, and there are none; nghttp2
/// would take no more of the client's either (RFC 9113 6.8).
bool is_goodbye(const nghttp2_frame_hd& head) {
  return head.type == NGHTTP2_GOAWAY && head.stream_id == 0 && head.length >= 8 &&
         head.length <= 16384;
}

}  // namespace

std::unique_ptr<Session> make_http2_session(net::Stream& stream, net::Loop& loop, SessionHost& host,
                                            const SessionSettings& settings) {
  return std::make_unique<Http2Session>(stream, loop, host, settings);
}

Http2Session::Http2Session(net::Stream& stream, net::Loop& loop, SessionHost& host,
                           const SessionSettings& settings)
    : stream_(stream),
      loop_(loop),
      host_(host),
      settings_(settings),
      started_(loop.clock().now()),
      timer_(loop.make_timer(*this)),
      session_(new_http2_server(*this)),
      guard_(settings.http2_streams),
      reader_(settings_, host.log()) {
  keepalive_timeout_ = settings.first_wait();
}

Http2Session::~Http2Session() {
  // The connection is torn down around running exchanges (a hard stop): they still get their log
  // lines.
  for (auto& stream : streams_)
    if (auto exchange = stream->take_exchange()) exchange->on_over();
  nghttp2_session_del(session_);
  stream_.set_events(nullptr);
}

void Http2Session::start() {
  state_since_ = last_read_ = started_;
  stream_.set_events(this);
  // How many streams it may have is said too (append_settings()), but nghttp2 does not know of it.
  const nghttp2_settings_entry entries[] = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<std::uint32_t>(settings_.http2_preread)},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
       static_cast<std::uint32_t>(settings_.large_buffers * settings_.large_buffer)}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, entries, std::size(entries));
  // As much as all streams together may have, so that those which nobody reads do not stop others;
  // twice, since nghttp2 pays back what was read when it is half of the window.
  const auto all = std::uint64_t{settings_.http2_streams} * settings_.http2_preread + kToLend;
  open_window(0, static_cast<std::size_t>(std::min(2 * all, kLargestWindow)));
  schedule();
}

// ---- From the stream

void Http2Session::on_data(std::span<const std::byte> data) {
  last_read_ = now();
  schedule();
  while (!data.empty() && !calmed_ && (state_ == State::Preface || state_ == State::Open)) {
    const auto piece = cutter_.next(data);
    if (piece.begins) {
      passes_over_ = !block_.open && is_goodbye(cutter_.head());
      if (!on_begin_frame(cutter_.head())) return;
      if (!passes_over_) feed(cutter_.head_bytes());
    }
    if (piece.payload > 0 && !passes_over_)
      feed(data.subspan(piece.size - piece.payload, piece.payload));
    data = data.subspan(piece.size);
  }
  // A flood that does not end with its connection's GOAWAY is not listened to for long
  if (state_ != State::Lingering || !calmed_) return;
  dropped_ += data.size();
  if (dropped_ > kDroppedOfFlood) state_ = State::Closing;
}

/// A client that does not begin with SETTINGS (RFC 9113 3.4) is served by nginx, and its tests are
/// such clients; nghttp2 would end it. It is as if they had been empty, and are not answered.
void Http2Session::suppose_settings() {
  constexpr std::byte kEmpty[9] = {{}, {}, {}, std::byte{NGHTTP2_SETTINGS}};
  unasked_ack_ = true;
  feed(kEmpty);
}

void Http2Session::feed(std::span<const std::byte> data) {
  const auto taken =
      nghttp2_receive(session_, reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
  if (taken >= 0 || calmed_) return;
  switch (taken) {
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC:
      give_up("sent invalid HTTP/2 preface", NGHTTP2_PROTOCOL_ERROR);
      break;
    case NGHTTP2_ERR_FLOODED:
      calm("unread answers to SETTINGS and PING frames");
      break;
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS:
      calm("CONTINUATION frames");
      break;
    default:
      give_up(fmt::format("cannot be served: {}", nghttp2_strerror(static_cast<int>(taken))),
              NGHTTP2_INTERNAL_ERROR);
  }
}

void Http2Session::on_end() {
  ended_ = true;
  schedule();
}

void Http2Session::on_drained() {
  blocked_ = false;
  go_on();
}

void Http2Session::on_failed(const Error& error) {
  gone_ = true;
  schedule();
  lose_streams(error);
}

// ---- Requests

/// Null: nghttp2 knows of no such stream any more.
Http2Stream* Http2Session::find(std::int32_t id) {
  if (found_ == nullptr || found_->id() != id)
    found_ = static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session_, id));
  return found_;
}

void Http2Session::forget(const Http2Stream& stream) {
  if (found_ == &stream) found_ = nullptr;
  if (block_.stream == &stream) block_.stream = nullptr;
}

void Http2Session::on_request(const nghttp2_frame& frame) {
  Http2Stream& stream = *std::exchange(block_.stream, nullptr);
  const bool ended = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  RequestHead head = reader_.end(ended, block_.bytes);
  head.began = block_.since;
  if ((frame.hd.flags & NGHTTP2_FLAG_PRIORITY) == 0 && !reader_.priority().empty()) {
    nghttp2_priority_spec spec;
    nghttp2_priority_spec_init(&spec, 0, weight_of_priority(reader_.priority()), 0);
    nghttp2_session_change_stream_priority(session_, stream.id(), &spec);
  }
  ++requests_;
  stream.begin(std::move(head), {reader_.malformed(), reader_.expects_continue(), ended});
  consider_last_request(stream);
}

void Http2Session::on_trailers(const nghttp2_frame& frame) {
  Http2Stream& stream = *std::exchange(block_.stream, nullptr);
  if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
    return stream.on_malformed("client sent trailers that do not end the request");
  if (reader_.refused() != 0) return stream.on_malformed(reader_.because());
  stream.set_trailers(reader_.trailers());
  stream.on_input_end();
}

void Http2Session::consider_last_request(const Http2Stream& stream) {
  const auto& policy = stream.policy();
  if (policy.keepalive_timeout == Duration::zero() || requests_ >= policy.keepalive_requests ||
      now() - started_ >= policy.keepalive_time)
    say_goodbye(stream.id());
}

// ---- The machine

void Http2Session::on_turn_end() {
  if (told_over_) return;  // asked for once more by what led to the end
  for (std::size_t i = 0; i < streams_.size(); ++i)
    if (streams_[i]->exchange() != nullptr) streams_[i]->advance_input();
  flush();
  end_streams();
  end_when_done();
  if (ended_ && state_ == State::Lingering) state_ = State::Closing;
  if (state_ == State::Closing) {
    if (stream_.unsent() == 0 || gone_) {
      state_ = State::Over;
    } else {
      stream_.notify_sent();
    }
  }
  if (state_ == State::Over) {
    timer_->stop();
    if (reading_ && !gone_) stream_.stop_reading();
    reading_ = false;
    told_over_ = true;
    host_.on_session_over();
    return;
  }
  update_reading();
  const bool is_idle = idle() && state_ == State::Open;
  if (is_idle && out_.empty()) release_buffers();
  arm();
  if (is_idle != reported_idle_) {
    reported_idle_ = is_idle;
    host_.on_idle(is_idle);
  }
}

void Http2Session::go_on() {
  if (told_over_) return;
  schedule();
  for (std::size_t i = 0; i < streams_.size() && !blocked_; ++i)
    streams_[i]->go_on_writing();
}

/// An exchange is over, and logged, when the kernel has its last byte, or when there is nobody left
/// to send it to.
void Http2Session::end_streams() {
  const std::uint64_t left = written_ - std::min<std::uint64_t>(written_, stream_.unsent());
  bool waits = false;
  for (std::size_t i = streams_.size(); i-- > 0;) {
    Http2Stream& stream = *streams_[i];
    const bool sending = stream.answered() && stream.end_mark() > left && !gone_;
    const bool done = stream.answered() ? stream.reply_ended() : stream.closed();
    if (!sending && (done || stream.is_gone())) {
      remove(stream);
    } else {
      waits = waits || sending;
    }
  }
  if (waits && stream_.unsent() > 0) stream_.notify_sent();
}

void Http2Session::remove(Http2Stream& stream) {
  if (!stream.closed()) {
    nghttp2_session_set_stream_user_data(session_, stream.id(), nullptr);
    if (stream.answered() && !gone_ && state_ == State::Open) stream.break_off();
  }
  if (stream.unread() > 0) nghttp2_session_consume_connection(session_, stream.unread());
  forget(stream);
  add_queued(stream.weight(), 0);
  lent_ -= stream.lent();
  if (auto exchange = stream.take_exchange()) {
    exchange->on_over();
    loop_.discard(std::move(exchange));
    const auto& policy = stream.policy();
    keepalive_timeout_ = policy.keepalive_timeout;
    keepalive_min_ = policy.keepalive_min;
    send_timeout_ = policy.send_timeout;
    reset_timed_out_ = policy.reset_timed_out;
  }
  const std::size_t index = stream.index;
  loop_.discard(std::move(streams_[index]));
  if (index + 1 != streams_.size()) {
    streams_[index] = std::move(streams_.back());
    streams_[index]->index = index;
  }
  streams_.pop_back();
  state_since_ = now();
  schedule();
}

void Http2Session::lose_streams(const Error& error) {
  for (std::size_t i = 0; i < streams_.size(); ++i)
    streams_[i]->client_gone(error);
}

void Http2Session::end_when_done() {
  if (gone_) {
    state_ = State::Over;
    return lose_streams(
        make_error(ErrorKind::Closed, Origin::Client, "client prematurely closed connection"));
  }
  if (state_ != State::Preface && state_ != State::Open) return;
  // nghttp2 takes the first GOAWAY for the last when nothing runs.
  const bool expects_more = goodbye_ == Goodbye::Noticed && !calmed_;
  const bool over = !expects_more && nghttp2_session_want_read(session_) == 0;
  if (!over && !ended_) return;
  // Nothing can open a window any more: what has not been sent will not be.
  if (!streams_.empty()) {
    if (!out_.empty() || blocked_) return;
    lose_streams(make_error(ErrorKind::Closed, Origin::Client,
                            ended_ ? "client prematurely closed connection"
                                   : "connection was ended by an error of the client"));
    end_streams();
    if (!streams_.empty()) return;
  }
  if (!ended_ && nghttp2_session_want_write(session_) != 0) return;
  close(!ended_);
}

void Http2Session::close(bool linger) {
  state_since_ = last_read_ = now();
  state_ = linger && !ended_ ? State::Lingering : State::Closing;
  flush();
  stream_.shut_down();
  schedule();
}

// ---- The end

void Http2Session::finish() {
  if (std::exchange(finishing_, true)) return;
  schedule();
  if (keepalive_min_ > Duration::zero() && requests_ > 0) return;  // its deadline ends it
  end_gracefully();
}

void Http2Session::wind_down() {
  winding_down_ = true;
  if (state_ == State::Open) finish();
}

void Http2Session::end_gracefully() {
  if (goodbye_ != Goodbye::None) return;
  if (state_ == State::Preface) return say_goodbye(0);
  if (state_ != State::Open) return;
  goodbye_ = Goodbye::Noticed;
  goodbye_due_ = now() + kGoodbyeTakes;
  nghttp2_submit_shutdown_notice(session_);
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, kGoodbyePing);
  schedule();
}

void Http2Session::say_goodbye(std::int32_t last) {
  if (goodbye_ == Goodbye::Said) return;
  goodbye_ = Goodbye::Said;
  goodbye_due_ = MonoTime{};
  last_served_ = last;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, nullptr, 0);
  schedule();
}

bool Http2Session::lend_window(std::size_t size) {
  if (lent_ + size > kToLend) return false;
  lent_ += size;
  return true;
}

bool Http2Session::allow(Kind kind) {
  return guard_.allow(kind, now()) || calm(Http2FloodGuard::name_of(kind));
}

bool Http2Session::calm(std::string_view what) {
  if (!std::exchange(calmed_, true)) {
    log_flood(fmt::format("too many {}", what));
    nghttp2_session_terminate_session(session_, NGHTTP2_ENHANCE_YOUR_CALM);
    schedule();
  }
  return false;
}

void Http2Session::log_flood(std::string_view what) {
  log_client(host_, LogLevel::Error,
             fmt::format("HTTP/2 flood detected, the connection is closed: {}", what),
             "processing HTTP/2 connection");
}

}  // namespace gatescope::http
