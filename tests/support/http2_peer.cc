#include "tests/support/http2_peer.h"

#include <algorithm>
#include <cstring>

#include "proxy/http/nghttp2_versions.h"

namespace gatescope::test {
namespace {

std::vector<nghttp2_nv> list_of(const Http2Peer::Fields& fields) {
  std::vector<nghttp2_nv> list;
  for (const auto& [name, value] : fields) {
    const auto bytes = [](const std::string& text) {
      return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    list.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return list;
}

}  // namespace

std::string Http2Answer::field(std::string_view name) const {
  for (const auto& [n, value] : fields)
    if (n == name) return value;
  return "(none)";
}

std::string Http2Answer::as_text() const {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " \r\n";
  for (const auto& [name, value] : fields)
    text += name + ": " + value + "\r\n";
  text += "\r\n" + body;
  if (!ended) text += reset >= 0 ? "(reset)" : "(not ended)";
  return text;
}

struct Http2PeerCallbacks {
  static Http2Peer& self(void* user) { return *static_cast<Http2Peer*>(user); }

  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                    std::uint8_t, void* user) {
    auto& answer = self(user).answers_[frame->hd.stream_id];
    const std::string n(reinterpret_cast<const char*>(name), name_size);
    const std::string v(reinterpret_cast<const char*>(value), value_size);
    if (n == ":status") {
      if (std::atoi(v.c_str()) < 200) {
        answer.informational.push_back(std::atoi(v.c_str()));
      } else {
        answer.status = std::atoi(v.c_str());
        answer.fields.clear();
      }
    } else {
      (answer.status != 0 && frame->headers.cat == NGHTTP2_HCAT_HEADERS && !answer.frames.empty()
           ? answer.trailers
           : answer.fields)
          .emplace_back(n, v);
    }
    return 0;
  }
  static int frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto& peer = self(user);
    auto& answer = peer.answers_[frame->hd.stream_id];
    switch (frame->hd.type) {
      case NGHTTP2_DATA:
        answer.frames.push_back(frame->hd.length);
        [[fallthrough]];
      case NGHTTP2_HEADERS:
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) answer.ended = true;
        break;
      case NGHTTP2_RST_STREAM:
        answer.reset = static_cast<int>(frame->rst_stream.error_code);
        break;
      case NGHTTP2_GOAWAY:
        peer.goaways_.emplace_back(frame->goaway.last_stream_id, frame->goaway.error_code);
        break;
      case NGHTTP2_WINDOW_UPDATE:
        ++peer.window_updates_;
        break;
      case NGHTTP2_PING:
        ++peer.pings_;
        break;
      default:
        break;
    }
    return 0;
  }
  static int data(nghttp2_session* session, std::uint8_t, std::int32_t id,
                  const std::uint8_t* bytes, std::size_t size, void* user) {
    auto& peer = self(user);
    peer.answers_[id].body.append(reinterpret_cast<const char*>(bytes), size);
    if (!peer.hold_) nghttp2_session_consume(session, id, size);
    return 0;
  }
  static int invalid(nghttp2_session*, const nghttp2_frame* frame, int why, void* user) {
    self(user).error_ +=
        "frame of type " + std::to_string(frame->hd.type) + ": " + nghttp2_strerror(why) + "; ";
    return 0;
  }
  static http::Nghttp2Size read(nghttp2_session* session, std::int32_t id, std::uint8_t* to,
                                std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                                void* user) {
    auto& body = self(user).bodies_[id];
    if (body.bytes.empty() && !body.last) return NGHTTP2_ERR_DEFERRED;
    const std::size_t n = std::min(size, body.bytes.size());
    std::memcpy(to, body.bytes.data(), n);
    body.bytes.erase(0, n);
    if (body.bytes.empty() && body.last) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!body.trailers.empty()) {
        const auto list = list_of(body.trailers);
        nghttp2_submit_trailer(session, id, list.data(), list.size());
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      }
    }
    return static_cast<http::Nghttp2Size>(n);
  }
};

Http2Peer::Http2Peer() {
  nghttp2_session_callbacks* c = nullptr;
  nghttp2_session_callbacks_new(&c);
  nghttp2_session_callbacks_set_on_header_callback(c, Http2PeerCallbacks::header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(c, Http2PeerCallbacks::frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, Http2PeerCallbacks::data);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c, Http2PeerCallbacks::invalid);
  nghttp2_option* options = nullptr;
  nghttp2_option_new(&options);
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_session_client_new2(&session_, c, this, options);
  nghttp2_option_del(options);
  nghttp2_session_callbacks_del(c);
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
}

Http2Peer::~Http2Peer() {
  nghttp2_session_del(session_);
}

std::int32_t Http2Peer::request(const Fields& fields, bool more) {
  const auto list = list_of(fields);
  http::Nghttp2DataProvider body{};
  body.read_callback = Http2PeerCallbacks::read;
  const auto id = http::nghttp2_request(session_, nullptr, list.data(), list.size(),
                                        more ? &body : nullptr, nullptr);
  answers_[id];
  return id;
}

std::int32_t Http2Peer::get(const std::string& path, const std::string& host) {
  return request({{":method", "GET"}, {":scheme", "http"}, {":authority", host}, {":path", path}});
}

void Http2Peer::send(std::int32_t stream, std::string_view body, bool last) {
  bodies_[stream].bytes += body;
  bodies_[stream].last = last;
  nghttp2_session_resume_data(session_, stream);
}

void Http2Peer::send_trailers(std::int32_t stream, const Fields& trailers) {
  bodies_[stream].trailers = trailers;
  send(stream, "", true);
}

void Http2Peer::reset(std::int32_t stream) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
}

void Http2Peer::open_window(std::int32_t stream, std::int32_t bytes) {
  nghttp2_submit_window_update(session_, NGHTTP2_FLAG_NONE, stream, bytes);
}

std::string Http2Peer::outgoing() {
  std::string all;
  const std::uint8_t* bytes = nullptr;
  for (http::Nghttp2Size n; (n = http::nghttp2_take_output(session_, &bytes)) > 0;)
    all.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(n));
  return all;
}

void Http2Peer::receive(std::string_view bytes) {
  const auto n = http::nghttp2_receive(
      session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (n < 0) error_ += std::string(nghttp2_strerror(static_cast<int>(n))) + "; ";
}

}  // namespace gatescope::test
