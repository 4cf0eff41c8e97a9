#pragma once

// A real loop for the tests of proxy/net, and recorders for its events. No test sleeps: until()
// runs turns until a condition holds, or fails the test when that takes too long.

#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/net/uv_loop.h"
#include "tests/support/catch.h"

namespace gatescope::net {

class RecordingLog final : public Log {
 public:
  bool enabled(LogLevel) const override { return true; }
  void write(LogLevel level, std::string_view message) override {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(level, message);
  }
  std::vector<std::pair<LogLevel, std::string>> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<LogLevel, std::string>> lines_;
};

/// A directory of its own, removed at the end.
class TempFolder {
 public:
  TempFolder() {
    char name[] = "/tmp/gatescope-net-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct LoopFixture {
  OwnSockets sockets;
  RecordingLog log;
  std::unique_ptr<UvLoop> loop = UvLoop::make(sockets, log);

  void until(const std::function<bool()>& holds) {
    struct : TimerEvents {
      void on_timer(Timer&) override { expired = true; }
      bool expired = false;
    } limit;
    const auto timer = loop->make_timer(limit);
    timer->start(Duration(20'000));
    while (!holds()) {
      loop->run_turn();
      if (limit.expired) FAIL("the condition did not come true in 20 s");
    }
  }
  /// Lets the loop go round a few times, to see that something does not happen.
  void turns(int n) {
    struct Nothing : TimerEvents {
      void on_timer(Timer&) override {}
    } nothing;
    const auto timer = loop->make_timer(nothing);
    for (int i = 0; i < n; ++i) {
      timer->start(Duration(1));
      loop->run_turn();
    }
  }
};

struct StreamRecorder : StreamEvents {
  std::string data;
  bool ended = false;
  int drained = 0;
  int failures = 0;
  std::optional<Error> error;
  std::function<void()> on_each;  // after each on_data
  void on_data(std::span<const std::byte> bytes) override {
    data.append(as_text(bytes));
    if (on_each) on_each();
  }
  void on_end() override { ended = true; }
  void on_drained() override { ++drained; }
  void on_failed(const Error& e) override {
    ++failures;
    error = e;
  }
};

struct AcceptRecorder : AcceptEvents {
  std::vector<std::unique_ptr<Stream>> streams;
  void on_accepted(std::unique_ptr<Stream> stream) override {
    streams.push_back(std::move(stream));
  }
};

struct ConnectRecorder : ConnectEvents {
  std::unique_ptr<Stream> stream;
  std::optional<Error> error;
  int events = 0;
  void on_connected(std::unique_ptr<Stream> s) override {
    ++events;
    stream = std::move(s);
  }
  void on_connect_failed(const Error& e) override {
    ++events;
    error = e;
  }
};

inline Endpoint loopback(std::uint16_t port = 0) {
  return Endpoint::ip("127.0.0.1", port).value();
}

/// Two connected streams over one listener; both read, both recorded.
struct Pair {
  AcceptRecorder accepted;
  ConnectRecorder connected;
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Stream> server, client;
  StreamRecorder at_server, at_client;

  Pair(LoopFixture& f, const Endpoint& where) {
    auto made = f.loop->listen(where, {}, accepted);
    REQUIRE(made);
    listener = std::move(made).value();
    const auto connecting = f.loop->connect(listener->local(), Duration(5000), connected);
    REQUIRE(connected.events == 0);
    f.until([&] { return connected.events == 1 && !accepted.streams.empty(); });
    REQUIRE(connected.stream);
    client = std::move(connected.stream);
    server = std::move(accepted.streams.front());
    accepted.streams.clear();
    server->set_events(&at_server);
    client->set_events(&at_client);
    server->start_reading();
    client->start_reading();
  }
};

inline Flow send(Stream& stream, std::string text) {
  ByteQueue queue;
  queue.append(SharedBytes(std::move(text)));
  const Flow flow = stream.write(queue);
  REQUIRE(queue.empty());
  return flow;
}

/// Bytes that show a loss, a doubling or a change of order.
inline std::string pattern(std::size_t size) {
  std::string result(size, '\0');
  std::uint32_t x = 1;
  for (char& c : result) {
    x = x * 1664525 + 1013904223;
    c = static_cast<char>(x >> 24);
  }
  return result;
}

}  // namespace gatescope::net
