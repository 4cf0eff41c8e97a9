#pragma once

// Connections in a simulated world, and ends that look whether the rules hold.

#include <memory>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/sim_loop.h"

namespace gatescope::test {

inline net::Endpoint server_address() {
  return net::Endpoint::ip("127.0.0.1", 80).value();
}

/// One end of a connection: keeps what it is told, and looks that the rules hold.
class Peer final : public net::StreamEvents {
 public:
  void take(std::unique_ptr<net::Stream> stream, bool read = true) {
    stream_ = std::move(stream);
    stream_->set_events(this);
    if (read) start();
  }
  void start() {
    reading = true;
    stream_->start_reading();
  }
  void stop() {
    reading = false;
    stream_->stop_reading();
  }
  Flow send(std::string text) {
    ByteQueue bytes;
    bytes.append(SharedBytes(std::move(text)));
    in_write = true;
    const Flow flow = stream_->write(bytes);
    in_write = false;
    CHECK(bytes.empty());
    return flow;
  }
  void on_data(std::span<const std::byte> data) override {
    alive();
    CHECK(reading);
    CHECK_FALSE(ended);
    got += as_text(data);
    pieces.push_back(data.size());
  }
  void on_end() override {
    alive();
    CHECK(reading);
    CHECK_FALSE(ended);
    ended = true;
  }
  void on_drained() override {
    alive();
    ++drained;
    unsent_when_drained = stream_->unsent();
  }
  void on_failed(const Error& error) override {
    alive();
    ++failed;
    kind = error.kind;
    origin = error.origin;
  }
  net::Stream* stream() { return stream_.get(); }
  void drop() { stream_.reset(); }

  std::string got;
  std::vector<std::size_t> pieces;
  bool reading = false, ended = false, in_write = false;
  int failed = 0, drained = 0;
  std::size_t unsent_when_drained = 0;
  ErrorKind kind{};
  Origin origin{};

 private:
  void alive() {
    CHECK_FALSE(in_write);
    CHECK(failed == 0);
  }
  std::unique_ptr<net::Stream> stream_;
};

class Acceptor final : public net::AcceptEvents {
 public:
  void on_accepted(std::unique_ptr<net::Stream> stream) override {
    streams.push_back(std::move(stream));
  }
  std::vector<std::unique_ptr<net::Stream>> streams;
};

class Dialer final : public net::ConnectEvents {
 public:
  void on_connected(std::unique_ptr<net::Stream> s) override { stream = std::move(s); }
  void on_connect_failed(const Error& error) override {
    failed = true;
    kind = error.kind;
  }
  bool over() const { return stream || failed; }
  std::unique_ptr<net::Stream> stream;
  bool failed = false;
  ErrorKind kind{};
};

/// Two loops and a connection between them.
struct Pair {
  explicit Pair(std::uint64_t seed, const SimFaults& faults = {}, bool read = true)
      : world(seed, faults), near(world, "near"), far(world, "far") {
    auto listener = far.listen(server_address(), {}, acceptor);
    Dialer dialer;
    auto connecting = near.connect(server_address(), Duration(60'000), dialer);
    REQUIRE(world.run_until([&] { return dialer.stream && !acceptor.streams.empty(); },
                            Duration(60'000)));
    client.take(std::move(dialer.stream), read);
    server.take(std::move(acceptor.streams.front()), read);
  }
  bool quiet() { return world.run_until_quiet(Duration(600'000)); }

  SimWorld world;
  SimLoop near, far;
  Acceptor acceptor;
  Peer client, server;
};

class Ticker final : public net::TimerEvents {
 public:
  explicit Ticker(SimLoop& loop, std::vector<std::string>& log, std::string name)
      : log_(log), name_(std::move(name)), timer(loop.make_timer(*this)) {}
  void on_timer(net::Timer&) override {
    log_.push_back(name_);
    if (drop_itself) timer.reset();
  }

 private:
  std::vector<std::string>& log_;
  const std::string name_;

 public:
  std::unique_ptr<net::Timer> timer;
  bool drop_itself = false;
};

inline std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

}  // namespace gatescope::test
