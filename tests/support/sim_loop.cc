#include "tests/support/sim_loop.h"

#include <algorithm>
#include <utility>

#include "tests/support/sim_connect.h"
#include "tests/support/sim_lane.h"
#include "tests/support/sim_process.h"
#include "tests/support/sim_timer.h"

namespace gatescope::test {

namespace {

class SimWatch final : public net::DescriptorWatch {
 public:
  explicit SimWatch(SimWorld& world) : world_(world) { ++world_.live().watches; }
  ~SimWatch() override { --world_.live().watches; }
  void set(bool, bool) override {}

 private:
  SimWorld& world_;
};

}  // namespace

SimLoop::SimLoop(SimWorld& world, std::string name)
    : world_(world),
      name_(std::move(name)),
      clock_(world),
      own_address_(net::Endpoint::ip("127.0.0.1", 0).value()) {}

SimLoop::~SimLoop() {
  for (const auto& weak : lanes_) {
    if (const auto lane = weak.lock()) lane->close();
  }
  world_.forget(*this);
  empty_bin();
  world_.forget(*this);
}

std::unique_ptr<net::Timer> SimLoop::make_timer(net::TimerEvents& events) {
  return std::make_unique<SimTimer>(*this, events);
}

void SimLoop::at_turn_end(net::TurnHook& hook) {
  world_.check_turn(*this, "at_turn_end()");
  hooks_.add(hook);
  want_turn();
}

void SimLoop::at_next_turn_end(net::TurnHook& hook) {
  world_.check_turn(*this, "at_next_turn_end()");
  next_hooks_.add(hook);
  come_again();
}

void SimLoop::post(net::Task task) {
  world_.after(world_.draw(world_.faults().post_after), this, "post", std::move(task));
}

Result<std::unique_ptr<net::Listener>> SimLoop::listen(const net::Endpoint& endpoint,
                                                       const net::ListenOptions& options,
                                                       net::AcceptEvents& events) {
  return std::unique_ptr<net::Listener>(
      std::make_unique<SimListener>(*this, endpoint, options, events));
}

std::unique_ptr<net::Listener> SimLoop::listen_on(net::BoundSocket socket,
                                                  net::AcceptEvents& events) {
  return std::make_unique<SimListener>(*this, socket.endpoint, socket.options, events);
}

std::unique_ptr<net::Connecting> SimLoop::connect(const net::Endpoint& endpoint, Duration timeout,
                                                  net::ConnectEvents& events) {
  world_.check_turn(*this, "connect()");
  return std::make_unique<SimConnecting>(*this, endpoint, timeout, events);
}

std::shared_ptr<net::WorkerLane> SimLoop::make_lane(const net::LaneOptions& options) {
  auto lane = std::make_shared<SimLane>(*this, options);
  lanes_.push_back(lane);
  return lane;
}

Result<std::unique_ptr<net::Process>> SimLoop::spawn(const net::ProcessOptions& options,
                                                     net::ProcessEvents& events) {
  world_.check_turn(*this, "spawn()");
  const std::string name = options.argv.empty() ? std::string() : options.argv.front();
  const SimProgramMaker* program = world_.program(name);
  if (program == nullptr) {
    return make_error(ErrorKind::Unavailable, Origin::Internal,
                      "no such program in this simulated world: \"" + name + "\"");
  }
  auto child = std::make_shared<SimChild>(*this, options, events);
  auto stream = child->start(*program);
  return std::unique_ptr<net::Process>(
      std::make_unique<SimProcess>(std::move(child), std::move(stream)));
}

std::unique_ptr<net::DescriptorWatch> SimLoop::watch(int, net::DescriptorEvents&) {
  return std::make_unique<SimWatch>(world_);
}

void SimLoop::turn(const net::Task& task) {
  SimLoop* const before = world_.current();
  if (before == this) return task();  // one more event in a busy turn
  world_.set_current(this);
  const bool busy = world_.begin_busy_turn();
  task();
  if (busy) world_.end_busy_turn();
  end_turn();
  world_.set_current(before);
}

void SimLoop::discard_raw(void* object, void (*destroy)(void*)) {
  bin_.push_back({object, destroy});
  want_turn();
}

// Between turns (the test's own code runs) nobody would come by to run hooks and empty the bin.
void SimLoop::want_turn() {
  if (world_.current() != this) come_again();
}

void SimLoop::come_again() {
  if (turn_wanted_) return;
  turn_wanted_ = true;
  world_.after(Micros(0), this, "turn", [this] { turn_wanted_ = false; });
}

void SimLoop::end_turn() {
  while (!hooks_.empty() || !bin_.empty()) {
    hooks_.run();
    empty_bin();
  }
  next_hooks_.move_to(hooks_);
}

void SimLoop::empty_bin() {
  while (!bin_.empty()) {
    std::vector<Discarded> now;
    now.swap(bin_);
    for (const Discarded& entry : now)
      entry.destroy(entry.object);
  }
}

WallTime SimLoop::VirtualClock::wall() const {
  const WallTime first{std::chrono::sys_days{std::chrono::January / 1 / 2026}};
  return first + (world_.now() - world_.start());
}

}  // namespace gatescope::test
