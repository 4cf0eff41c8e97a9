#include "tests/bench/http2_asker.h"

#include "proxy/http/nghttp2_versions.h"

namespace gatescope::bench {

/// What nghttp2 calls; a stream's user data is whether it was answered 200.
struct Http2AskerCallbacks {
  static int header(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                    std::uint8_t, void* user) {
    if (name_size != 7 || name[1] != 's') return 0;
    const bool ok = std::string_view(reinterpret_cast<const char*>(value), value_size) == "200";
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, ok ? user : nullptr);
    return 0;
  }
  static int closed(nghttp2_session* session, std::int32_t stream, std::uint32_t error,
                    void* user) {
    const bool ok = nghttp2_session_get_stream_user_data(session, stream) != nullptr;
    static_cast<Http2Asker*>(user)->answered(ok, error == NGHTTP2_NO_ERROR);
    return 0;
  }
};

Http2Asker::Http2Asker(Reactor& reactor, SSL_CTX* tls, Plan plan, Seen& seen)
    : Wire(reactor, tls), plan_(std::move(plan)), seen_(seen) {}

void Http2Asker::tick() {
  if (!closed() || (begun_ && plan_.once)) return;
  begun_ = true;
  connect(plan_.port);
}

void Http2Asker::on_open() {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Http2AskerCallbacks::header);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Http2AskerCallbacks::closed);
  nghttp2_session* session = nullptr;
  nghttp2_session_client_new(&session, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  session_.reset(session);
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0);
  to_ask_ = plan_.streams;
  ask();
}

void Http2Asker::ask() {
  const auto field = [](std::string_view name, std::string_view value) {
    const auto bytes = [](std::string_view text) {
      return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    return nghttp2_nv{bytes(name), bytes(value), name.size(), value.size(),
                      NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
  };
  const nghttp2_nv head[] = {field(":method", "GET"), field(":scheme", "https"),
                             field(":authority", host_), field(":path", plan_.path)};
  for (; to_ask_ > 0; --to_ask_)
    if (http::nghttp2_request(session_.get(), nullptr, head, std::size(head), nullptr, nullptr) > 0)
      ++running_;
  flush();
}

void Http2Asker::flush() {
  std::string all;
  const std::uint8_t* bytes = nullptr;
  for (http::Nghttp2Size n; (n = http::nghttp2_take_output(session_.get(), &bytes)) > 0;)
    all.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(n));
  if (!all.empty()) send(all);
}

void Http2Asker::on_data(std::string_view data) {
  const auto taken = http::nghttp2_receive(
      session_.get(), reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
  if (taken < 0) ++seen_.wrong;
}

void Http2Asker::on_data_end() {
  ask();
}

void Http2Asker::answered(bool ok, bool whole) {
  --running_;
  if (!plan_.once) ++to_ask_;
  if (!whole) {
    ++seen_.cut;
  } else if (ok) {
    ++seen_.ok;
  } else {
    ++seen_.wrong;
  }
}

void Http2Asker::on_closed(bool refused) {
  seen_.refused += refused ? 1 : 0;
  seen_.cut += static_cast<std::uint64_t>(running_);
  running_ = to_ask_ = 0;
  session_.reset();
}

}  // namespace gatescope::bench
