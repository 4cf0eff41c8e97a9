#pragma once

#include <algorithm>
#include <vector>

#include "tests/bench/wire.h"

namespace gatescope::bench {

/// What clients saw.
struct Seen {
  std::uint64_t ok = 0;
  std::uint64_t refused = 0;     // no connection, or its handshake failed
  std::uint64_t cut = 0;         // the request was sent, and the answer did not come whole
  std::uint64_t wrong = 0;       // an answer that is not 200
  std::vector<float> latencies;  // ms, of those that are ok
  Time last_ok{};
  std::uint64_t failed() const { return refused + cut + wrong; }
  double percentile(double part) {
    if (latencies.empty()) return 0;
    const auto at = static_cast<std::size_t>(part * static_cast<double>(latencies.size() - 1));
    std::nth_element(latencies.begin(), latencies.begin() + static_cast<std::ptrdiff_t>(at),
                     latencies.end());
    return latencies[at];
  }
};

/// Works by itself, when it is ticked now and then.
class LoadClient {
 public:
  virtual ~LoadClient() = default;
  virtual void tick() = 0;
};

/// Asks for one path over and over: on a kept connection, or on a new one each time; with `pause`
/// between an answer and the next request. Call tick() now and then.
class Asker final : public Wire, public LoadClient {
 public:
  struct Plan {
    std::uint16_t port = 0;
    bool keep = true;
    bool resume = false;  // a new connection resumes the session of the one before
    std::string path = "/";
    std::vector<std::string> paths;  // instead: each of these once, in order
    std::chrono::microseconds pause{0};
    std::string accept_encoding;        // empty: no such field
    const std::string* body = nullptr;  // sent by POST; null: GET
  };
  Asker(Reactor& reactor, SSL_CTX* tls, Plan plan, Seen& seen);
  void tick() override;
  /// Nothing new is asked from now on; quiet() once the last answer has come.
  void finish() { finishing_ = true; }
  bool quiet() const { return state_ == Doing::Nothing; }
  bool done() const { return finishing_ && quiet(); }

 private:
  enum class Doing { Nothing, Connecting, Waiting };
  void on_open() override;
  void on_data(std::string_view data) override;
  void on_closed(bool refused) override;
  void next();
  void ask();
  void answered();

  const Plan plan_;
  Seen& seen_;
  Doing state_ = Doing::Nothing;
  bool finishing_ = false;
  bool renew_ = false;  // the connection is to be closed outside of its callback
  Time asked_{}, next_at_{};
  std::size_t next_path_ = 0;
  std::string head_;
  std::size_t body_left_ = 0;
  bool in_body_ = false, closes_ = false;
  int status_ = 0;
};

}  // namespace gatescope::bench
