#include "tests/support/sim_process.h"

#include <signal.h>

#include <utility>

#include "tests/support/sim_link.h"
#include "tests/support/sim_loop.h"

namespace gatescope::test {

SimChild::SimChild(SimLoop& loop, const net::ProcessOptions& options, net::ProcessEvents& events)
    : loop_(loop), options_(options), pid_(++loop.world().live().spawned + 1000), events_(&events) {
  ++loop_.world().live().children;
}

SimChild::~SimChild() = default;

std::unique_ptr<net::Stream> SimChild::start(const SimProgramMaker& maker) {
  std::unique_ptr<net::Stream> ours;
  if (options_.talks) {
    const auto endpoint = net::Endpoint::unix_path("child").value();
    const auto link = std::make_shared<SimLink>(loop_.world(), loop_.world().faults_of(endpoint),
                                                endpoint, endpoint);
    ours = link->open(SimLink::kClient, loop_);
    stream_ = link->open(SimLink::kServer, loop_);
  }
  program_ = maker(*this);
  return ours;
}

void SimChild::signal(int number) {
  if (ended_) return;
  if (number != SIGSTOP && number != SIGCONT) return end(number);
  program_->on_signal(number);
}

void SimChild::abandon() {
  events_ = nullptr;
  end(SIGKILL);
}

// The program may be below us on the stack, in a callback of its stream.
void SimChild::end(int status) {
  if (std::exchange(ended_, true)) return;
  --loop_.world().live().children;
  if (stream_) stream_->set_events(nullptr);
  loop_.discard(std::move(program_));
  loop_.discard(std::move(stream_));
  loop_.post([self = shared_from_this(), status] {
    if (self->events_ != nullptr) self->events_->on_exit(status);
  });
}

SimProcess::SimProcess(std::shared_ptr<SimChild> child, std::unique_ptr<net::Stream> stream)
    : child_(std::move(child)), stream_(std::move(stream)) {}

SimProcess::~SimProcess() {
  child_->abandon();
}

}  // namespace gatescope::test
