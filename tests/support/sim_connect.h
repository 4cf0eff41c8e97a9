#pragma once

#include <memory>

#include "tests/support/sim_loop.h"

namespace gatescope::test {

class SimLink;

/// net::Listener at an address of the world. Several at one address share its backlog. Owned by its
/// user; with the last one at an address, what waits is reset.
class SimListener final : public net::Listener {
 public:
  SimListener(SimLoop& loop, const net::Endpoint& endpoint, const net::ListenOptions& options,
              net::AcceptEvents& events);
  ~SimListener() override;
  void stop_accepting() override { accepting_ = false; }
  void resume_accepting() override;
  const net::Endpoint& local() const override { return local_; }

  std::size_t backlog() const { return backlog_; }
  /// Something may wait in the backlog.
  void look();

 private:
  void accept_one();

  // Constant after construction
  SimLoop& loop_;
  net::AcceptEvents& events_;
  const std::size_t backlog_;
  const net::Endpoint local_;

  bool accepting_ = true;
  SimWorld::EventId event_ = SimWorld::kNoEvent;
};

/// net::Connecting: answered, refused or never answered, as the faults of the address say. Owned by
/// its user; may be destroyed inside its event.
class SimConnecting final : public net::Connecting {
 public:
  SimConnecting(SimLoop& loop, const net::Endpoint& endpoint, Duration timeout,
                net::ConnectEvents& events);
  ~SimConnecting() override;

 private:
  void ask();
  void on_answer();
  void on_timeout();
  void fail(const Error& error);
  SimWorld& world() { return loop_.world(); }

  // Constant after construction
  SimLoop& loop_;
  const net::Endpoint endpoint_;
  net::ConnectEvents& events_;

  bool refused_ = false;
  SimWorld::EventId answer_ = SimWorld::kNoEvent;
  SimWorld::EventId timeout_ = SimWorld::kNoEvent;
};

}  // namespace gatescope::test
