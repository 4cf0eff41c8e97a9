#include "proxy/http/http2_stream.h"

#include <algorithm>
#include <utility>

#include "proxy/http/http2_session.h"

namespace gatescope::http {
namespace {

// Once somebody reads the body a client far away shall not wait for each 64 KB.
constexpr std::size_t kOpenWindow = 256 * 1024;

}  // namespace

Http2Stream::Http2Stream(Http2Session& session, std::int32_t id) : session_(session), id_(id) {}

Http2Stream::~Http2Stream() = default;

// ---- What comes

void Http2Stream::begin(RequestHead head, Opening opening) {
  is_head_ = head.method == "HEAD";
  received_ = head.bytes;
  input_left_ = head.content_length;
  malformed_ = opening.malformed;
  input_ended_ = opening.ended;
  continue_expected_ = opening.expects_continue && head.has_body;
  body_ = head.has_body ? Body::Reading : Body::None;
  if (std::exchange(session_.reported_idle_, false)) session_.host_.on_idle(false);
  exchange_ = session_.host_.make_exchange(*this, std::move(head));
  exchange_->start();
}

void Http2Stream::expect_data(std::size_t size, bool last) {
  if (body_ != Body::Reading || !fault_.empty() || !input_left_) return;
  if (size > *input_left_) {
    on_malformed("client sent more body than its \"Content-Length\" header says");
  } else if (last && size < *input_left_) {
    on_malformed("client sent less body than its \"Content-Length\" header says");
  }
}

void Http2Stream::on_data(std::span<const std::byte> data) {
  received_ += data.size();
  input_ += data.size();
  last_read_ = session_.now();
  expect_data(data.size(), false);
  if (body_ != Body::Reading || !fault_.empty()) return session_.consume(id_, data.size());
  if (input_left_) *input_left_ -= data.size();
  if (!wanted_ || !in_.empty()) return in_.append_copy(as_text(data));
  exchange_->on_body(data);
  session_.consume(id_, data.size());
  open_window();
}

void Http2Stream::on_input_end() {
  input_ended_ = true;
  last_read_ = session_.now();
  if (body_ != Body::Reading) return;
  if (input_left_.value_or(0) > 0 && fault_.empty())
    return on_malformed("client sent less body than its \"Content-Length\" header says");
  advance_input();
}

void Http2Stream::on_malformed(std::string because) {
  malformed_ = true;
  if (fault_.empty()) fault_ = std::move(because);
  session_.consume(id_, in_.size());
  in_.clear();
  advance_input();
}

void Http2Stream::on_input_timeout() {
  if (!awaits_input()) return;
  fail_body(408, ErrorKind::Timeout, "client timed out (110: Connection timed out)");
}

void Http2Stream::fail_body(int status, ErrorKind kind, std::string because) {
  body_ = Body::Failed;
  exchange_->on_body_failed(status, make_error(kind, Origin::Client, std::move(because)));
}

void Http2Stream::advance_input() {
  while (body_ == Body::Reading && wanted_) {
    if (!fault_.empty()) return fail_body(400, ErrorKind::Protocol, fault_);
    if (!in_.empty()) {
      const SharedBytes piece = in_.pop_front();
      exchange_->on_body(piece.span());
      session_.consume(id_, piece.size());
    } else if (input_ended_) {
      body_ = Body::Done;
      return exchange_->on_body_end(trailers_);
    } else {
      return open_window();
    }
  }
}

void Http2Stream::want_body(bool wanted) {
  if (wanted && !wanted_) {
    last_read_ = session_.now();
    if (continue_expected_) {
      send_informational(100, {});
      continue_expected_ = false;
    }
  }
  wanted_ = wanted;
  if (wanted && body_ == Body::Reading) session_.schedule();
}

/// A client that sends much of what somebody reads may have more on its way. Not for little: it
/// would be a frame for nothing.
void Http2Stream::open_window() {
  const std::size_t first = session_.settings().http2_preread;
  if (lent_ > 0 || input_ended_ || closed_ || !wanted_ || input_ * 4 < first ||
      (input_left_ && *input_left_ + input_ <= first))
    return;
  const std::size_t opened = std::max(first + kOpenWindow / 4, kOpenWindow);
  if (!session_.lend_window(opened - first)) return;
  lent_ = opened - first;
  session_.open_window(id_, opened);
}

void Http2Stream::client_gone(const Error& error) {
  if (gone_ || (end_sent_ && reply_ == Reply::Ended)) return;
  gone_ = true;
  writer_waits_ = false;
  session_.add_queued(out_.weight(), 0);
  out_.clear();
  reply_ = Reply::Ended;
  if (exchange_) exchange_->on_client_gone(error);
}

// ---- What leaves

void Http2Stream::send_informational(int status, const HeaderList& headers) {
  if (gone_ || closed_ || reply_ != Reply::None || status == 101) return;
  auto& fields = session_.fields();
  fill_informational(fields, status, headers, arena_);
  // Their texts may be the caller's: nghttp2 copies them.
  for (auto& field : fields)
    field.flags = NGHTTP2_NV_FLAG_NONE;
  session_.submit_informational(id_, fields);
}

void Http2Stream::send_head(const ResponseHead& head) {
  if (gone_ || closed_ || reply_ != Reply::None) return;
  reply_ = Reply::HeadSent;
  bodiless_ = is_head_ || head.bodiless() || head.content_length == 0U;
  body_left_ = head.content_length;
  auto& fields = session_.fields();
  fill_response(fields, head, policy_.server_field, session_.date(), arena_);
  session_.submit_response(*this, fields, !bodiless_);
}

Flow Http2Stream::send_body(SharedBytes bytes) {
  if (gone_ || closed_ || reply_ != Reply::HeadSent || bytes.empty()) return Flow::GoOn;
  if (bodiless_ && (is_head_ || body_left_ != 0U)) return Flow::GoOn;
  if (body_left_ && bytes.size() > *body_left_) {
    session_.log_fault("response body is longer than its Content-Length",
                       bytes.size() - *body_left_);
    bytes = bytes.slice(0, static_cast<std::size_t>(*body_left_));
    if (bytes.empty()) return Flow::GoOn;
  }
  if (body_left_) *body_left_ -= bytes.size();
  const std::size_t before = out_.weight();
  out_.append(std::move(bytes));
  session_.add_queued(before, out_.weight());
  resume();
  if (out_.weight() < session_.queue_limit()) return Flow::GoOn;
  writer_waits_ = true;
  return Flow::Wait;
}

void Http2Stream::send_end(const HeaderList& trailers) {
  if (gone_ || reply_ == Reply::Ended) return;
  if (closed_) return end_closed();
  if (reply_ == Reply::None || (!bodiless_ && body_left_.value_or(0) > 0)) {
    if (reply_ == Reply::HeadSent)
      session_.log_fault("response body is shorter than its Content-Length", *body_left_);
    return cut(false);
  }
  reply_ = Reply::Ended;
  writer_waits_ = false;
  // The exchange keeps them until it is over, which is when the last frame has left.
  if (!trailers.empty()) out_trailers_ = &trailers;
  resume();
}

// What was written before still goes out, then RST_STREAM instead of END_STREAM.
void Http2Stream::cut(bool at_once) {
  if (gone_ || reply_ == Reply::Ended) return;
  if (closed_) return end_closed();
  const bool sends = reply_ == Reply::HeadSent && !bodiless_ && !at_once;
  reply_ = Reply::Ended;
  cut_ = true;
  writer_waits_ = false;
  if (sends) return resume();
  reset(NGHTTP2_INTERNAL_ERROR);
}

/// The head was all there is to send, and has gone; now its exchange has ended too.
void Http2Stream::end_closed() {
  reply_ = Reply::Ended;
  writer_waits_ = false;
  session_.schedule();
}

void Http2Stream::reset(std::uint32_t code) {
  session_.submit_reset(id_, code);
}

void Http2Stream::resume() {
  if (std::exchange(deferred_, false)) session_.resume(id_);
  session_.schedule();
}

Nghttp2Size Http2Stream::read(std::size_t length, std::uint32_t& flags) {
  if (end_sent_) return NGHTTP2_ERR_DEFERRED;                              // by force_end()
  if (out_.empty() && cut_) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // RST_STREAM
  if (out_.empty() && reply_ != Reply::Ended) {
    deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  const std::size_t size = std::min(length, out_.size());
  flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (size == out_.size() && reply_ == Reply::Ended && !cut_) {
    flags |= NGHTTP2_DATA_FLAG_EOF;
    if (out_trailers_ != nullptr) {
      auto& fields = session_.fields();
      fill_trailers(fields, *out_trailers_, arena_);
      if (!fields.empty() && session_.submit_trailers(id_, fields))
        flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    }
  }
  return static_cast<Nghttp2Size>(size);
}

void Http2Stream::take(std::span<const std::byte> head, std::size_t length) {
  const std::size_t before = out_.weight();
  session_.output().append_copy(as_text(head));
  out_.move_to(session_.output(), length);
  session_.add_queued(before, out_.weight());
}

void Http2Stream::on_frame_sent(const nghttp2_frame& frame, std::uint64_t mark) {
  if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA) return;
  sent_ += kHttp2FrameHead + frame.hd.length;
  head_bytes_ += kHttp2FrameHead + (frame.hd.type == NGHTTP2_HEADERS ? frame.hd.length : 0);
  stalled_since_ = MonoTime{};
  if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) on_end_sent(mark);
}

void Http2Stream::on_end_sent(std::uint64_t mark) {
  end_sent_ = true;
  end_mark_ = mark;
  // An error of its stream, whatever was answered
  if (malformed_ || body_ == Body::Failed) reset(NGHTTP2_PROTOCOL_ERROR);
}

void Http2Stream::force_end(std::uint64_t mark) {
  end_forced_ = true;
  if (cut_) return reset(NGHTTP2_INTERNAL_ERROR);  // no window is needed for that
  if (out_trailers_ != nullptr) {
    auto& fields = session_.fields();
    fill_trailers(fields, *out_trailers_, arena_);
    if (!fields.empty() && session_.submit_trailers(id_, fields)) return;
  }
  const auto id = static_cast<std::uint32_t>(id_);
  const char frame[kHttp2FrameHead] = {0,
                                       0,
                                       0,
                                       NGHTTP2_DATA,
                                       NGHTTP2_FLAG_END_STREAM,
                                       static_cast<char>(id >> 24),
                                       static_cast<char>(id >> 16),
                                       static_cast<char>(id >> 8),
                                       static_cast<char>(id)};
  session_.output().append_copy({frame, sizeof frame});
  sent_ += sizeof frame;
  head_bytes_ += sizeof frame;
  on_end_sent(mark + sizeof frame);
}

/// RFC 9113 8.1: the answer is whole, the rest of the request may stay where it is. Only now, and
/// in a write of its own: there are clients that take a reset which comes along with the answer for
/// its loss (curl 7.88).
void Http2Stream::break_off() {
  if (!input_ended_) return reset(NGHTTP2_NO_ERROR);
  session_.end_quietly(id_);  // force_end() has told the client, and nobody nghttp2
}

void Http2Stream::on_closed(std::uint32_t code) {
  closed_ = true;
  if (end_sent_ || cut_) return;
  client_gone(make_error(ErrorKind::Closed, Origin::Client,
                         code == NGHTTP2_NO_ERROR || code == NGHTTP2_CANCEL
                             ? "client canceled stream"
                             : "client terminated stream with status " + std::to_string(code)));
}

bool Http2Stream::wants_to_write() const {
  return writer_waits_ && !closed_ && out_.weight() <= session_.queue_limit() / 2;
}

void Http2Stream::go_on_writing() {
  if (!wants_to_write()) return;
  writer_waits_ = false;
  exchange_->on_writable();
}

}  // namespace gatescope::http
