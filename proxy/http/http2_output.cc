// The half of Http2Session that its streams see, and how their frames leave.

#include <algorithm>
#include <utility>

#include "proxy/http/http2_library.h"
#include "proxy/http/http2_session.h"

namespace gatescope::http {
namespace {

// What waits for nghttp2, of one stream and of all together: a client that does not read holds no
// more than that, and a little for each stream.
constexpr std::size_t kStreamQueue = net::Stream::kHighWater;
constexpr std::size_t kStreamQueueWhenFull = 8 * 1024;
constexpr std::size_t kAllQueues = 512 * 1024;

}  // namespace

Nghttp2Size Http2Session::read_body(nghttp2_session*, std::int32_t id, std::uint8_t*,
                                    std::size_t length, std::uint32_t* flags, nghttp2_data_source*,
                                    void* self) noexcept {
  auto* stream = static_cast<Http2Session*>(self)->find(id);
  if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  return stream->read(std::min(length, stream->policy().http2_chunk), *flags);
}

// How large a DATA frame may be: as the location wants, the client takes, and the windows let.
Nghttp2Size Http2Session::read_length(nghttp2_session*, std::uint8_t, std::int32_t id,
                                      std::int32_t session_window, std::int32_t stream_window,
                                      std::uint32_t max_frame, void* self) noexcept {
  const auto* stream = static_cast<Http2Session*>(self)->find(id);
  const std::size_t chunk = stream == nullptr ? 16384 : stream->policy().http2_chunk;
  const auto windows = static_cast<std::size_t>(std::min(session_window, stream_window));
  return static_cast<Nghttp2Size>(std::min({chunk, windows, std::size_t{max_frame}}));
}

std::size_t Http2Session::queue_limit() const {
  return queued_ < kAllQueues ? kStreamQueue : kStreamQueueWhenFull;
}

void Http2Session::submit_response(Http2Stream& stream, const Http2Fields& fields, bool with_body) {
  Nghttp2DataProvider body{};
  body.read_callback = read_body;
  nghttp2_respond(session_, stream.id(), fields.data(), fields.size(), with_body ? &body : nullptr);
  schedule();
}

void Http2Session::submit_informational(std::int32_t id, const Http2Fields& fields) {
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, id, nullptr, fields.data(), fields.size(),
                         nullptr);
  schedule();
}

bool Http2Session::submit_trailers(std::int32_t id, const Http2Fields& fields) {
  return nghttp2_submit_trailer(session_, id, fields.data(), fields.size()) == 0;
}

void Http2Session::submit_reset(std::int32_t id, std::uint32_t code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, code);
  schedule();
}

void Http2Session::end_quietly(std::int32_t id) {
  quiet_resets_.push_back(id);
  submit_reset(id, NGHTTP2_NO_ERROR);
}

void Http2Session::resume(std::int32_t id) {
  nghttp2_session_resume_data(session_, id);
}

void Http2Session::consume(std::int32_t id, std::size_t size) {
  if (size > 0) nghttp2_session_consume(session_, id, size);
}

void Http2Session::open_window(std::int32_t id, std::size_t size) {
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, id,
                                        static_cast<std::int32_t>(size));
  schedule();
}

void Http2Session::log_fault(std::string_view what, std::uint64_t bytes) {
  host_.log().print(LogLevel::Error, "{} by {} bytes", what, bytes);
}

bool Http2Session::is_shut(std::int32_t id) const {
  return nghttp2_session_get_remote_window_size(session_) <= 0 ||
         nghttp2_session_get_stream_remote_window_size(session_, id) <= 0;
}

/// nghttp2 has nothing more to send, so this is between two frames. False: there was none.
bool Http2Session::end_shut_streams() {
  bool any = false;
  for (const auto& stream : streams_) {
    if (!stream->only_end_left() || !is_shut(stream->id())) continue;
    stream->force_end(written_ + out_.size());
    any = true;
  }
  return any;
}

/// What nghttp2 would say and the client is not to hear.
bool Http2Session::stays_here(std::string_view frame) {
  if (frame[3] == NGHTTP2_SETTINGS && frame[4] == NGHTTP2_FLAG_ACK)
    return std::exchange(unasked_ack_, false);
  if (frame[3] != NGHTTP2_RST_STREAM || quiet_resets_.empty()) return false;
  std::int32_t id = 0;
  for (const char byte : frame.substr(5, 4))
    id = id << 8 | static_cast<std::uint8_t>(byte);
  return std::erase(quiet_resets_, id) > 0;
}

/// nghttp2 ends the connection of a client that has one stream too many, which is an error of that
/// stream (RFC 9113 5.1.2). So it does not know the limit, and may_begin() keeps it.
void Http2Session::append_settings(std::string_view frame) {
  const auto limit = settings_.http2_streams;
  const char entry[] = {0,
                        NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                        static_cast<char>(limit >> 24),
                        static_cast<char>(limit >> 16),
                        static_cast<char>(limit >> 8),
                        static_cast<char>(limit)};
  const std::size_t length = frame.size() - kHttp2FrameHead + sizeof entry;
  const char head[] = {0, static_cast<char>(length >> 8), static_cast<char>(length)};
  out_.append_copy({head, sizeof head});
  out_.append_copy(frame.substr(sizeof head));
  out_.append_copy({entry, sizeof entry});
}

void Http2Session::fill() {
  const std::uint8_t* data = nullptr;
  while (out_.size() < net::Stream::kHighWater) {
    const auto size = nghttp2_take_output(session_, &data);
    if (size < 0) {
      gone_ = true;  // no memory, or a fault of ours
      host_.log().print(LogLevel::Error, "nghttp2_session_mem_send() failed: {}",
                        nghttp2_strerror(static_cast<int>(size)));
      return;
    }
    if (size == 0) {
      if (!end_shut_streams()) return;
      continue;
    }
    const std::string_view frame(reinterpret_cast<const char*>(data),
                                 static_cast<std::size_t>(size));
    if (stays_here(frame)) continue;
    if (frame[3] == NGHTTP2_SETTINGS && frame[4] == 0) {
      append_settings(frame);
    } else {
      out_.append_copy(frame);
    }
  }
}

bool Http2Session::more_to_send() const {
  return nghttp2_session_want_write(session_) != 0 ||
         std::any_of(streams_.begin(), streams_.end(),
                     [](const auto& stream) { return stream->wants_to_write(); });
}

void Http2Session::flush() {
  if (gone_ || state_ == State::Over) return out_.clear();
  if (!blocked_) fill();
  if (out_.empty() || gone_) return;
  written_ += out_.size();
  blocked_ = stream_.write(out_) == Flow::Wait;
  // What else waits goes on in the next turn: others have their turn in between.
  if (!blocked_ && more_to_send()) loop_.at_next_turn_end(go_on_);
}

}  // namespace gatescope::http
