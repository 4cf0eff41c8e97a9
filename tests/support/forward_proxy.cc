#include "tests/support/forward_proxy.h"

#include <span>
#include <stdexcept>
#include <utility>

namespace gatescope::test {

namespace {

void send(net::Stream& stream, std::string text) {
  ByteQueue queue;
  queue.append(SharedBytes(std::move(text)));
  stream.write(queue);
}

/// One side of a passage: what comes goes to the other.
struct Side final : net::StreamEvents {
  std::unique_ptr<net::Stream> stream;
  Side* other = nullptr;
  void on_data(std::span<const std::byte> data) override {
    if (other->stream) send(*other->stream, std::string(as_text(data)));
  }
  void on_end() override {
    if (other->stream) other->stream->shut_down();
  }
  void on_drained() override {}
  void on_failed(const Error&) override {}
};

}  // namespace

/// A client's connection and that to the place it leads to.
class ForwardProxy::Passage final : private net::StreamEvents, private net::ConnectEvents {
 public:
  Passage(ForwardProxy& owner, std::unique_ptr<net::Stream> client) : owner_(owner) {
    client_.other = &server_;
    server_.other = &client_;
    client_.stream = std::move(client);
    client_.stream->set_events(this);
    client_.stream->start_reading();
  }

 private:
  /// The first request. Those after it on this connection pass unchanged: servers take absolute
  /// targets too (RFC 9112 3.2.2), and the stand-in is not asked a second time here.
  void on_data(std::span<const std::byte> data) override {
    received_.append(as_text(data));
    if (received_.find("\r\n\r\n") == std::string::npos) return;
    owner_.requests.push_back(received_.substr(0, received_.find("\r\n")));
    client_.stream->stop_reading();
    connecting_ = owner_.loop_.connect(owner_.to_, Duration(5000), *this);
  }
  void on_connected(std::unique_ptr<net::Stream> stream) override {
    server_.stream = std::move(stream);
    if (received_.starts_with("CONNECT ")) {
      send(*client_.stream, "HTTP/1.1 200 Connection established\r\n\r\n");
    } else {
      const auto scheme = received_.find("://");
      const auto path = received_.find('/', scheme + 3);
      received_.erase(received_.find(' ') + 1, path - received_.find(' ') - 1);
      send(*server_.stream, received_);
    }
    for (Side* side : {&client_, &server_}) {
      side->stream->set_events(side);
      side->stream->start_reading();
    }
  }
  void on_connect_failed(const Error&) override { client_.stream.reset(); }
  void on_end() override {}
  void on_drained() override {}
  void on_failed(const Error&) override {}

  ForwardProxy& owner_;
  std::string received_;
  std::unique_ptr<net::Connecting> connecting_;
  Side client_, server_;
};

ForwardProxy::ForwardProxy(net::Loop& loop, net::Endpoint to) : loop_(loop), to_(std::move(to)) {
  auto made = loop.listen(net::Endpoint::ip("127.0.0.1", 0).value(), {}, *this);
  if (!made) throw std::runtime_error(made.error().detail);
  listener_ = std::move(made).value();
}

ForwardProxy::~ForwardProxy() = default;

void ForwardProxy::on_accepted(std::unique_ptr<net::Stream> stream) {
  passages_.push_back(std::make_unique<Passage>(*this, std::move(stream)));
}

}  // namespace gatescope::test
