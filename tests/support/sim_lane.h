#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "tests/support/sim_loop.h"

namespace gatescope::test {

/// net::WorkerLane whose "threads" are busy for a drawn time; the work itself runs inline when that
/// time is over, and `done` in a later turn. Shared by its users; tickets know it weakly.
class SimLane final : public net::WorkerLane, public std::enable_shared_from_this<SimLane> {
 public:
  SimLane(SimLoop& loop, const net::LaneOptions& options);
  ~SimLane() override;
  Result<std::unique_ptr<Ticket>> submit(std::function<void(unsigned thread)> work,
                                         net::Task done) override;
  std::size_t waiting() const override { return queue_.size(); }
  /// Drops what waits and what is begun; the loop is going.
  void close();

 private:
  struct Job {
    std::function<void(unsigned)> work;
    net::Task done;
  };
  class JobTicket;
  void take(unsigned thread);
  void finish(unsigned thread, const std::shared_ptr<Job>& job);

  SimLoop& loop_;
  const net::LaneOptions options_;
  std::deque<std::shared_ptr<Job>> queue_;
  std::vector<bool> busy_;  // by thread
  bool closed_ = false;
};

}  // namespace gatescope::test
