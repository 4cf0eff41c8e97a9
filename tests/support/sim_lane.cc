#include "tests/support/sim_lane.h"

#include <algorithm>
#include <utility>

namespace gatescope::test {

class SimLane::JobTicket final : public net::WorkerLane::Ticket {
 public:
  JobTicket(SimWorld& world, std::weak_ptr<SimLane> lane, std::shared_ptr<Job> job)
      : world_(world), lane_(std::move(lane)), job_(std::move(job)) {
    ++world_.live().tickets;
  }
  ~JobTicket() override {
    --world_.live().tickets;
    job_->done = nullptr;
    if (const auto lane = lane_.lock()) std::erase(lane->queue_, job_);
  }

 private:
  SimWorld& world_;
  const std::weak_ptr<SimLane> lane_;
  const std::shared_ptr<Job> job_;
};

SimLane::SimLane(SimLoop& loop, const net::LaneOptions& options)
    : loop_(loop), options_(options), busy_(std::max(1u, options.threads), false) {}

SimLane::~SimLane() {
  close();
}

void SimLane::close() {
  closed_ = true;
  const auto dropped = std::move(queue_);
  queue_.clear();
}

Result<std::unique_ptr<net::WorkerLane::Ticket>> SimLane::submit(
    std::function<void(unsigned thread)> work, net::Task done) {
  if (closed_) {
    return make_error(ErrorKind::Cancelled, Origin::Internal,
                      "lane \"" + options_.name + "\" is closed");
  }
  if (queue_.size() >= options_.queue_limit) {
    return make_error(ErrorKind::Busy, Origin::Internal,
                      "the queue of lane \"" + options_.name + "\" is full");
  }
  loop_.world().check_turn(loop_, "submit()");
  auto job = std::make_shared<Job>(Job{std::move(work), std::move(done)});
  queue_.push_back(job);
  // A thread wakes up a little later: until then the job waits, and can be dropped.
  for (unsigned thread = 0; thread < busy_.size(); ++thread) {
    if (busy_[thread]) continue;
    busy_[thread] = true;
    loop_.world().after(Micros(1), &loop_, "worker wakes", [weak = weak_from_this(), thread] {
      if (const auto lane = weak.lock()) lane->take(thread);
    });
    break;
  }
  return std::unique_ptr<Ticket>(
      std::make_unique<JobTicket>(loop_.world(), weak_from_this(), std::move(job)));
}

void SimLane::take(unsigned thread) {
  busy_[thread] = false;
  if (closed_ || queue_.empty()) return;
  busy_[thread] = true;
  auto job = std::move(queue_.front());
  queue_.pop_front();
  SimWorld& world = loop_.world();
  // Begun work runs to its end, whoever lets go of the lane.
  world.after(
      world.draw(world.faults().work_time), &loop_, "work",
      [lane = shared_from_this(), thread, job = std::move(job)] { lane->finish(thread, job); });
}

void SimLane::finish(unsigned thread, const std::shared_ptr<Job>& job) {
  if (!closed_) job->work(thread);
  job->work = nullptr;
  loop_.post([job] {
    if (const net::Task done = std::move(job->done)) done();
  });
  take(thread);
}

}  // namespace gatescope::test
