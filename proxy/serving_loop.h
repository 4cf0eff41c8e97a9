#pragma once

#include <memory>
#include <vector>

#include "proxy/front.h"
#include "proxy/http/access.h"
#include "proxy/net/extra_loop.h"
#include "proxy/upstream/upstream_module.h"

namespace gatescope::server {

class ServingLoop;

class ServingLoopEvents {
 public:
  virtual ~ServingLoopEvents() = default;
  /// After finish(), on loop 0: that loop's last connection is gone.
  virtual void on_loop_empty(ServingLoop& loop) = 0;
};

/// One event loop of the server with its Front. Everything is asked of it from loop 0, and what it
/// has to say is said there; the Front lives on the loop's own thread. Owned by Server.
///   (made) -> start() -> adopt() ... -> finish(), abandon() -> (destroyed)
class ServingLoop final : public FrontEvents {
 public:
  /// `thread`: null for loop 0, whose caller runs it.
  ServingLoop(net::Loop& home, std::unique_ptr<net::ExtraLoop> thread, FrontCounters& counters,
              upstream::UpstreamModule& upstream, http::PasswordLanes& passwords,
              ServingLoopEvents& events);
  /// Ends the thread, then what is left of its connections.
  ~ServingLoop() override;

  net::Loop& loop() { return loop_; }
  /// The first generation; then the thread runs.
  void start(std::shared_ptr<const Generation> generation, std::vector<ListenSocket> sockets);
  /// `done` on loop 0, when new requests see the generation.
  void adopt(std::shared_ptr<const Generation> generation, std::vector<ListenSocket> sockets,
             net::Task done);
  /// `done` on loop 0, when this loop has had a turn: so it does not hang.
  void greet(net::Task done);
  void finish();
  void wind_down();
  /// `done` when no connection is left, and the loop has nothing to do any more.
  void abandon(net::Task done);
  void on_front_empty() override;

 private:
  void run(net::Task task);    // on the loop
  void reply(net::Task task);  // from the loop, on loop 0; from loop 0 itself at once

  // Constant after construction
  net::Loop& home_;
  const std::unique_ptr<net::ExtraLoop> thread_;  // null: this is loop 0
  net::Loop& loop_;
  FrontCounters& counters_;
  upstream::UpstreamModule& upstream_;
  http::PasswordLanes& passwords_;
  ServingLoopEvents& events_;
  /// Replies that are on their way when this ends find it expired. Loop 0's; others copy it.
  const std::shared_ptr<int> alive_ = std::make_shared<int>(0);

  std::unique_ptr<Front> front_;  // the loop's
};

}  // namespace gatescope::server
