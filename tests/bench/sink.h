#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace gatescope::bench {

/// An application behind a proxy, the same for every program measured: takes bodies, and answers
/// "/big" with 10 MB, "/k" with 1 KB, all else with two bytes. A thread per connection, at most
/// kMost; they end with this.
class Sink {
 public:
  /// `path`: of a unix socket, which lies in somebody's folder; empty: a port of loopback.
  explicit Sink(const std::string& path = {});
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  static constexpr std::size_t kMost = 1024;
  void listen_at(const std::string& path);
  void serve(int fd);

  const std::string big_, kilobyte_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> over_{false};
  std::atomic<int> connections_[kMost];
  std::vector<std::thread> threads_;  // the first accepts
};

}  // namespace gatescope::bench
