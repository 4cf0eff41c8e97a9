// Http2Session: any bytes behind a preface, in pieces that the input chooses, to a host that
// answers, reads bodies or does not, and cuts. Nothing may crash, hang, or reach an exchange that
// HTTP/1 could not have said, and each exchange has one end.

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "proxy/http/session.h"
#include "tests/support/memory_stream.h"

using namespace gatescope;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_head(const http::RequestHead& head) {
  if (head.refused) return;
  require(!head.method.empty() && !head.target.empty());
  require(head.target.find_first_of(" \t\r\n") == std::string_view::npos);
  require(head.headers.count("host") == 1 && head.headers.count("content-length") <= 1);
  require(!head.headers.has("transfer-encoding") && !head.headers.has("connection"));
  for (const auto& field : head.headers) {
    require(!field.name.empty());
    require(field.name.find_first_of(" \t\r\n:") == std::string_view::npos);
    require(field.value.find_first_of("\r\n") == std::string_view::npos);
    require(field.value.find('\0') == std::string_view::npos);
  }
}

int running = 0;

/// The target's second byte says what is done.
class Exchange final : public http::SessionExchange {
 public:
  Exchange(http::ExchangeLink& link, const http::RequestHead& head)
      : link_(link), has_body_(head.has_body) {
    if (head.target.size() > 1) kind_ = head.target[1];
    ++running;
  }
  void start() override {
    if (kind_ == 'c') return link_.cut(false);
    if (kind_ == 'w') return;  // waits for ever
    if (has_body_ && kind_ != 'n') return link_.want_body(true);
    answer();
  }
  void on_body(std::span<const std::byte> data) override {
    require(!over_);
    read_ += data.size();
    if (kind_ == 'p' && read_ > 2) link_.want_body(false);
  }
  void on_body_end(const http::HeaderList&) override { answer(); }
  void on_body_failed(int, const Error&) override { answer(); }
  void on_writable() override { write(); }
  void on_client_gone(const Error&) override { require(!over_); }
  void on_over() override {
    require(!over_);
    over_ = true;
    --running;
  }

 private:
  void answer() {
    http::ResponseHead head;
    if (kind_ != 'u') head.content_length = left_;
    link_.send_head(head);
    write();
  }
  void write() {
    while (left_ > 0) {
      left_ -= 1000;
      if (link_.send_body(SharedBytes::copy_of(std::string(1000, 'x'))) == Flow::Wait) return;
    }
    link_.send_end({});
  }

  http::ExchangeLink& link_;
  const bool has_body_;
  char kind_ = ' ';
  std::size_t left_ = 100'000, read_ = 0;
  bool over_ = false;
};

class Host final : public http::SessionHost {
 public:
  std::unique_ptr<http::SessionExchange> make_exchange(http::ExchangeLink& link,
                                                       http::RequestHead head) override {
    check_head(head);
    return std::make_unique<Exchange>(link, head);
  }
  const http::ConnectionInfo& info() const override { return info_; }
  Log& log() override { return log_; }
  std::string_view date() override { return "Sun, 06 Nov 1994 08:49:37 GMT"; }
  void on_idle(bool) override {}
  void on_session_over() override {
    require(++overs == 1);
    loop.discard(std::move(session));
  }

  test::FakeLoop loop;
  test::MemoryStream stream;
  std::unique_ptr<http::Session> session;
  int overs = 0;

 private:
  http::ConnectionInfo info_;
  NullLog log_;
};

void settle(Host& host) {
  for (int i = 0; i < 4; ++i) {
    host.loop.turn();
    host.stream.deliver();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t piece = data[0] == 0 ? size : data[0];
  const unsigned mode = data[1];
  std::string_view input(reinterpret_cast<const char*>(data + 2), size - 2);
  running = 0;
  {
    Host host;
    http::SessionSettings settings;
    settings.http2_streams = 8;
    host.session = http::make_http2_session(host.stream, host.loop, host, settings);
    host.session->start();
    settle(host);
    if ((mode & 1) != 0) host.stream.set_window(1000);
    host.stream.feed("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    while (!input.empty() && host.session) {
      host.stream.feed(input.substr(0, piece));
      input.remove_prefix(std::min(piece, input.size()));
      settle(host);
    }
    if ((mode & 2) != 0 && host.session) host.session->finish();
    settle(host);
    if ((mode & 1) != 0) host.stream.open_window(100'000);
    settle(host);
    if ((mode & 4) != 0) {
      host.stream.end();
      settle(host);
    }
    if ((mode & 8) != 0) host.loop.advance(Duration(200'000));
    settle(host);
    host.session.reset();
    host.loop.turn();
  }
  require(running == 0);
  return 0;
}
