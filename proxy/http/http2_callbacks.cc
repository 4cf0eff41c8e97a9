// What nghttp2 calls, and what a session makes of it.

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <utility>

#include "proxy/http/http2_library.h"
#include "proxy/http/http2_memory.h"
#include "proxy/http/http2_session.h"

namespace gatescope::http {
namespace {

// As much as a block may have of honest fields needs fewer.
constexpr std::size_t kMaxContinuations = 64;
// Answers to SETTINGS and PING that wait to be sent.
constexpr std::size_t kMaxOutboundAcks = 256;
// Of an answer's head, encoded: nghttp2's 64 KB may be less than one Set-Cookie field too many.
constexpr std::size_t kMaxHead = 1024 * 1024;
// Of streams that we reset: what crosses them on the way is no fault. Clients begin a hundred
// before they know how many they may.
constexpr std::size_t kKnownResets = 1024;
constexpr std::size_t kSmallData = 32;
constexpr std::string_view kTooManyFields = "header fields in one block";

std::string_view text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}
std::span<const std::byte> bytes(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const std::byte*>(data), size};
}

}  // namespace

/// The names that nghttp2 knows; the session's functions by the same names do the work.
struct Http2Callbacks {
  static Http2Session& self(void* user) { return *static_cast<Http2Session*>(user); }
  static int verdict(bool good) { return good ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE; }

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) noexcept {
    return verdict(self(user).on_begin_headers(*frame));
  }
  static int header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                    std::uint8_t, void* user) noexcept {
    return verdict(self(user).on_header(text(name, name_size), text(value, value_size)));
  }
  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) noexcept {
    return verdict(self(user).on_frame(*frame));
  }
  static int data_received(nghttp2_session*, std::uint8_t, std::int32_t id,
                           const std::uint8_t* data, std::size_t size, void* user) noexcept {
    return verdict(self(user).on_body(id, bytes(data, size)));
  }
  static int invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int why,
                           void* user) noexcept {
    return verdict(self(user).on_invalid_frame(*frame, why));
  }
  static int frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) noexcept {
    self(user).on_frame_sent(*frame);
    return 0;
  }
  static int frame_not_sent(nghttp2_session*, const nghttp2_frame* frame, int why,
                            void* user) noexcept {
    self(user).on_frame_not_sent(*frame, why);
    return 0;
  }
  static int stream_closed(nghttp2_session*, std::int32_t id, std::uint32_t code,
                           void* user) noexcept {
    self(user).on_stream_closed(id, code);
    return 0;
  }
  static int send_data(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* head,
                       std::size_t size, nghttp2_data_source*, void* user) noexcept {
    return self(user).send_data(frame->hd.stream_id, bytes(head, kHttp2FrameHead), size);
  }

  static const nghttp2_session_callbacks& table() {
    static const nghttp2_session_callbacks* const made = [] {
      nghttp2_session_callbacks* c = nullptr;
      if (nghttp2_session_callbacks_new(&c) != 0) throw std::bad_alloc();
      nghttp2_session_callbacks_set_on_begin_headers_callback(c, begin_headers);
      nghttp2_session_callbacks_set_on_header_callback(c, header);
      nghttp2_session_callbacks_set_on_frame_recv_callback(c, frame_received);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, data_received);
      nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c, invalid_frame);
      nghttp2_session_callbacks_set_on_frame_send_callback(c, frame_sent);
      nghttp2_session_callbacks_set_on_frame_not_send_callback(c, frame_not_sent);
      nghttp2_session_callbacks_set_on_stream_close_callback(c, stream_closed);
      nghttp2_session_callbacks_set_send_data_callback(c, send_data);
      nghttp2_set_read_length(c, Http2Session::read_length);
      return c;
    }();
    return *made;
  }
};

nghttp2_session* new_http2_server(Http2Session& session) {
  static const nghttp2_option* const options = [] {
    nghttp2_option* o = nullptr;
    if (nghttp2_option_new(&o) != 0) throw std::bad_alloc();
    nghttp2_option_set_no_http_messaging(o, 1);      // Http2RequestReader answers, and logs
    nghttp2_option_set_no_auto_window_update(o, 1);  // what nobody took is not paid back
    nghttp2_option_set_no_closed_streams(o, 1);      // no memory for what is over
    nghttp2_option_set_max_outbound_ack(o, kMaxOutboundAcks);
    nghttp2_option_set_max_continuations(o, kMaxContinuations);
    nghttp2_option_set_max_send_header_block_length(o, kMaxHead);
    return o;
  }();
  nghttp2_session* made = nullptr;
  if (nghttp2_session_server_new3(&made, &Http2Callbacks::table(), &session, options,
                                  http2_memory()) != 0)
    throw std::bad_alloc();
  return made;
}

bool Http2Session::on_begin_frame(const nghttp2_frame_hd& head) {
  if (state_ == State::Preface &&
      (head.type != NGHTTP2_SETTINGS || (head.flags & NGHTTP2_FLAG_ACK) != 0))
    suppose_settings();
  if (head.type != NGHTTP2_CONTINUATION) block_.open = false;
  const bool last = (head.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  switch (head.type) {
    case NGHTTP2_DATA:
      if (head.stream_id % 2 == 1 && head.stream_id <= last_id_ &&
          !judge_stream(head, NGHTTP2_STREAM_CLOSED))
        return false;
      if ((head.flags & NGHTTP2_FLAG_PADDED) != 0) return true;  // on_frame() knows how much it is
      if (auto* stream = find(head.stream_id)) {
        stream->expect_data(head.length, last);
        return last || allow_data(head.length);
      }
      return true;
    case NGHTTP2_HEADERS:
      block_.bytes = head.length;
      block_.stream = nullptr;
      return judge_stream(head, NGHTTP2_PROTOCOL_ERROR);
    case NGHTTP2_CONTINUATION:
      block_.bytes += head.length;
      // Nobody counts the fields of such a block
      return block_.stream != nullptr || block_.bytes <= reader_.limit() || calm(kTooManyFields);
    case NGHTTP2_PRIORITY:
      return allow(Kind::Priority);
    case NGHTTP2_RST_STREAM:
      return allow(Kind::Reset);
    case NGHTTP2_SETTINGS:
      return allow(Kind::Settings);
    case NGHTTP2_PING:
      return allow(Kind::Ping);
    case NGHTTP2_WINDOW_UPDATE:
      return allow(Kind::WindowUpdate);
    case NGHTTP2_PUSH_PROMISE:  // RFC 9113 8.4: without waiting for its payload
      return give_up("sent a PUSH_PROMISE frame", NGHTTP2_PROTOCOL_ERROR);
    default:
      return allow(Kind::Unknown);
  }
}

/// A frame on a stream that is over (RFC 9113 5.1, 5.1.1). nghttp2 would ignore it, since it may
/// have crossed our RST_STREAM. Those are known here, and few: what there may be many of are the
/// pieces of a body, which windows bound.
bool Http2Session::judge_stream(const nghttp2_frame_hd& head, std::uint32_t code) {
  const auto id = head.stream_id;
  if (id > last_id_ || nghttp2_session_find_stream(session_, id) != nullptr) {
    last_id_ = std::max(last_id_, id);
    return true;
  }
  if (goodbye_ == Goodbye::None && std::find(resets_.begin(), resets_.end(), id) == resets_.end())
    return give_up("sent a frame on a closed HTTP/2 stream", code);
  const bool piece = head.type == NGHTTP2_DATA && head.length >= kSmallData &&
                     (head.flags & NGHTTP2_FLAG_PADDED) == 0;
  return piece || allow(Kind::Late);
}

/// Of a DATA frame that is not the last.
bool Http2Session::allow_data(std::size_t size) {
  return size >= kSmallData || allow(size == 0 ? Kind::EmptyData : Kind::SmallData);
}

/// Streams that were ended while their request came.
void Http2Session::note_reset(std::int32_t id) {
  if (resets_.size() < std::max(kKnownResets, 2 * std::size_t{settings_.http2_streams})) {
    resets_.push_back(id);
  } else {
    resets_[next_reset_++ % resets_.size()] = id;
  }
}

bool Http2Session::give_up(std::string_view what, std::uint32_t code) {
  if (std::exchange(calmed_, true)) return false;
  log_client(host_, LogLevel::Info, fmt::format("client {}", what), "processing HTTP/2 connection");
  nghttp2_session_terminate_session(session_, code);
  schedule();
  return false;
}

/// Not more at once than we said (RFC 9113 5.1.2: an error of the stream), and none of those that
/// GOAWAY has told the client to ask somebody else for (6.8). Their header blocks are read all the
/// same, for HPACK's sake.
bool Http2Session::may_begin(std::int32_t id) const {
  if (id > last_served_) return false;
  if (streams_.size() < settings_.http2_streams) return true;
  const auto open = std::count_if(streams_.begin(), streams_.end(),
                                  [](const auto& stream) { return !stream->closed(); });
  return static_cast<std::size_t>(open) < settings_.http2_streams;
}

bool Http2Session::on_begin_headers(const nghttp2_frame& frame) {
  const std::size_t bytes = block_.bytes;
  block_ = Block{};
  block_.open = true;
  block_.bytes = bytes;
  block_.since = now();
  if (frame.headers.cat == NGHTTP2_HCAT_REQUEST && !may_begin(frame.hd.stream_id)) {
    submit_reset(frame.hd.stream_id, NGHTTP2_REFUSED_STREAM);
    return allow(Kind::Invalid);
  }
  if (frame.headers.cat == NGHTTP2_HCAT_REQUEST) {
    auto stream = std::make_unique<Http2Stream>(*this, frame.hd.stream_id);
    stream->index = streams_.size();
    block_.stream = stream.get();
    nghttp2_session_set_stream_user_data(session_, frame.hd.stream_id, block_.stream);
    streams_.push_back(std::move(stream));
    reader_.begin(block_.stream->arena());
  } else {
    block_.trailing = true;
    block_.stream = find(frame.hd.stream_id);
    if (block_.stream != nullptr) reader_.begin_trailers(block_.stream->arena());
  }
  return true;
}

bool Http2Session::on_header(std::string_view name, std::string_view value) {
  if (block_.stream == nullptr || reader_.add(name, value)) return true;
  return calm(kTooManyFields);
}

bool Http2Session::on_frame(const nghttp2_frame& frame) {
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
      block_.open = false;
      if (block_.stream != nullptr) block_.trailing ? on_trailers(frame) : on_request(frame);
      break;
    case NGHTTP2_DATA:
      if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
        if (auto* stream = find(frame.hd.stream_id)) stream->on_input_end();
      } else if ((frame.hd.flags & NGHTTP2_FLAG_PADDED) != 0) {
        return !calmed_ && allow_data(frame.hd.length - frame.data.padlen);
      }
      break;
    case NGHTTP2_SETTINGS:
      if (state_ == State::Preface) {
        state_ = State::Open;
        state_since_ = now();
        if (finishing_) end_gracefully();
        if (winding_down_) finish();
      }
      break;
    case NGHTTP2_PING:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) != 0 && goodbye_ == Goodbye::Noticed)
        say_goodbye(nghttp2_session_get_last_proc_stream_id(session_));
      break;
    default:
      break;
  }
  return !calmed_;
}

bool Http2Session::on_body(std::int32_t id, std::span<const std::byte> data) {
  if (auto* stream = find(id)) {
    stream->on_data(data);
  } else {
    consume(id, data.size());
  }
  return !calmed_;
}

bool Http2Session::on_invalid_frame(const nghttp2_frame& frame, int why) {
  log_client(host_, LogLevel::Info,
             fmt::format("client sent invalid HTTP/2 frame of type {}: {}", frame.hd.type,
                         nghttp2_strerror(why)),
             "processing HTTP/2 connection");
  if (frame.hd.type == NGHTTP2_HEADERS) {
    block_.open = false;
    note_reset(frame.hd.stream_id);  // refused
  }
  return allow(Kind::Invalid);
}

void Http2Session::on_frame_sent(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_GOAWAY && frame.goaway.error_code != NGHTTP2_NO_ERROR && !calmed_) {
    const auto why = text(frame.goaway.opaque_data, frame.goaway.opaque_data_len);
    if (frame.goaway.error_code == NGHTTP2_ENHANCE_YOUR_CALM) {  // nghttp2's own limits
      log_flood(why);
    } else {
      log_client(host_, LogLevel::Info,
                 fmt::format("HTTP/2 connection is closed with error {}: {}",
                             frame.goaway.error_code, why),
                 "processing HTTP/2 connection");
    }
  }
  if (frame.hd.type == NGHTTP2_RST_STREAM) note_reset(frame.hd.stream_id);
  if (auto* stream = frame.hd.stream_id == 0 ? nullptr : find(frame.hd.stream_id))
    stream->on_frame_sent(frame, written_ + out_.size());
}

/// A head that is too large even for us: nothing else would end its stream.
void Http2Session::on_frame_not_sent(const nghttp2_frame& frame, int why) {
  auto* stream = frame.hd.type == NGHTTP2_HEADERS ? find(frame.hd.stream_id) : nullptr;
  if (stream == nullptr || stream->closed()) return;
  // A client that has broken the protocol may have left a hundred answers behind
  const bool by_client = why == NGHTTP2_ERR_SESSION_CLOSING || why == NGHTTP2_ERR_STREAM_CLOSING ||
                         why == NGHTTP2_ERR_STREAM_CLOSED;
  host_.log().print(by_client ? LogLevel::Info : LogLevel::Error,
                    "response head cannot be sent over HTTP/2: {}", nghttp2_strerror(why));
  submit_reset(frame.hd.stream_id, NGHTTP2_INTERNAL_ERROR);
}

void Http2Session::on_stream_closed(std::int32_t id, std::uint32_t code) {
  auto* stream = find(id);
  if (stream == nullptr) return;
  forget(*stream);
  stream->on_closed(code);
  schedule();
}

int Http2Session::send_data(std::int32_t id, std::span<const std::byte> head, std::size_t length) {
  if (out_.size() >= net::Stream::kHighWater) return NGHTTP2_ERR_WOULDBLOCK;
  auto* stream = find(id);
  if (stream == nullptr || stream->queued() < length) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  stream->take(head, length);
  guard_.on_data_sent();
  return 0;
}

}  // namespace gatescope::http
