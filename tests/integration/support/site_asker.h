#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "tests/integration/support/client.h"

namespace gatescope::integration {

/// Asks for "/" without a pause, on one connection for as long as the server keeps it or on a new
/// one each time, until told to end. A connection that the server said it would close is left, as a
/// browser leaves it; anything else that is no 200 is trouble.
class SiteAsker {
 public:
  SiteAsker(std::function<Client()> connect, bool keep)
      : connect_(std::move(connect)), thread_([this, keep] { ask(keep); }) {}
  ~SiteAsker() { finish(); }
  /// What went wrong; "" when every answer was 200.
  std::string finish();
  int answers() const { return answers_; }

 private:
  void ask(bool keep);
  const std::function<Client()> connect_;
  std::atomic<bool> over_{false};
  std::atomic<int> answers_{0};
  std::string trouble_;  // read after join
  std::thread thread_;
};

}  // namespace gatescope::integration
