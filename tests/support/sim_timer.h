#pragma once

#include "tests/support/sim_loop.h"

namespace gatescope::test {

/// net::Timer on virtual time. Owned by its user; may be destroyed inside on_timer().
class SimTimer final : public net::Timer {
 public:
  SimTimer(SimLoop& loop, net::TimerEvents& events) : loop_(loop), events_(events) {
    ++world().live().timers;
  }
  ~SimTimer() override {
    stop();
    --world().live().timers;
  }
  void start(Duration after) override {
    world().check_turn(loop_, "a timer");
    stop();
    ++world().live().running_timers;
    const Micros late = world().draw(world().faults().timer_late);
    event_ = world().after(std::max(Micros(after), Micros(0)) + late, &loop_, "timer", [this] {
      event_ = SimWorld::kNoEvent;
      --world().live().running_timers;
      events_.on_timer(*this);
    });
  }
  void stop() override {
    if (!running()) return;
    --world().live().running_timers;
    world().cancel(event_);
  }
  bool running() const override { return event_ != SimWorld::kNoEvent; }

 private:
  SimWorld& world() { return loop_.world(); }

  SimLoop& loop_;
  net::TimerEvents& events_;
  SimWorld::EventId event_ = SimWorld::kNoEvent;
};

}  // namespace gatescope::test
