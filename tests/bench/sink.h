#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace gatescope::bench {

/// An application behind a proxy, the same for every program measured: takes bodies, and answers
/// "/big" with 10 MB, all else with two bytes. A thread per connection, at most kMost; they end
/// with this.
class Sink {
 public:
  Sink();
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  static constexpr std::size_t kMost = 1024;
  void serve(int fd);

  const std::string big_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> over_{false};
  std::atomic<int> connections_[kMost];
  std::vector<std::thread> threads_;  // the first accepts
};

}  // namespace gatescope::bench
