#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/net/loop.h"
#include "tests/support/sim_world.h"

namespace gatescope::test {

class SimLane;

/// net::Loop in a SimWorld: virtual time, connections in memory, faults. One event is one turn;
/// hooks and the bin follow it. Several loops may share a world, each its own "thread". Owned by
/// the test; as with libuv's, all that it made must be gone before it, but lanes.
class SimLoop : public net::Loop {
 public:
  explicit SimLoop(SimWorld& world, std::string name = "loop");
  ~SimLoop() override;

  const Clock& clock() const override { return clock_; }
  std::unique_ptr<net::Timer> make_timer(net::TimerEvents& events) override;
  void at_turn_end(net::TurnHook& hook) override;
  void at_next_turn_end(net::TurnHook& hook) override;
  void post(net::Task task) override;
  Result<std::unique_ptr<net::Listener>> listen(const net::Endpoint& endpoint,
                                                const net::ListenOptions& options,
                                                net::AcceptEvents& events) override;
  std::unique_ptr<net::Listener> listen_on(net::BoundSocket socket,
                                           net::AcceptEvents& events) override;
  std::unique_ptr<net::Connecting> connect(const net::Endpoint& endpoint, Duration timeout,
                                           net::ConnectEvents& events) override;
  std::shared_ptr<net::WorkerLane> make_lane(const net::LaneOptions& options) override;
  /// Runs a program of the world (SimWorld::set_program); Unavailable: there is none of that name.
  Result<std::unique_ptr<net::Process>> spawn(const net::ProcessOptions& options,
                                              net::ProcessEvents& events) override;
  /// Never fires.
  std::unique_ptr<net::DescriptorWatch> watch(int fd, net::DescriptorEvents& events) override;

  /// Where connect() comes from, without port (default 127.0.0.1).
  void set_own_address(const net::Endpoint& address) { own_address_ = address; }
  const net::Endpoint& own_address() const { return own_address_; }
  SimWorld& world() { return world_; }
  const std::string& name() const { return name_; }
  /// Runs the task as one turn: then the hooks, then the bin.
  void turn(const net::Task& task);

 protected:
  void discard_raw(void* object, void (*destroy)(void*)) override;

 private:
  class VirtualClock final : public Clock {
   public:
    explicit VirtualClock(const SimWorld& world) : world_(world) {}
    MonoTime now() const override { return world_.now(); }
    WallTime wall() const override;

   private:
    const SimWorld& world_;
  };
  struct Discarded {
    void* object;
    void (*destroy)(void*);
  };
  void want_turn();
  void come_again();
  void end_turn();
  void empty_bin();

  // Constant after construction
  SimWorld& world_;
  const std::string name_;
  const VirtualClock clock_;

  net::Endpoint own_address_;
  net::TurnHooks hooks_, next_hooks_;
  std::vector<Discarded> bin_;
  std::vector<std::weak_ptr<SimLane>> lanes_;
  bool turn_wanted_ = false;  // an empty event waits: something was added for it
};

}  // namespace gatescope::test
