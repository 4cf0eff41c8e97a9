#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "proxy/base/log.h"
#include "proxy/net/loop.h"

namespace gatescope::net {

/// A WorkerLane with threads of its own. Shared by those who submit and by its tickets (weakly);
/// close() is called by the loop's destructor or its own, joins the threads and drops what waits.
class ThreadLane final : public WorkerLane, public std::enable_shared_from_this<ThreadLane> {
 public:
  ThreadLane(Loop& loop, Log& log, const LaneOptions& options);
  ~ThreadLane() override;
  Result<std::unique_ptr<Ticket>> submit(std::function<void(unsigned thread)> work,
                                         Task done) override;
  std::size_t waiting() const override;
  void close();

 private:
  struct Job;
  class JobTicket;

  void run_thread(unsigned number);
  void run_job(Job& job, unsigned thread);
  void cancel(const std::shared_ptr<Job>& job);

  // Constant after construction.
  Loop& loop_;
  Log& log_;
  const LaneOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Job>> queue_;  // guarded by mutex_
  bool closing_ = false;                    // guarded by mutex_
  std::vector<std::thread> threads_;        // empty once closed
};

}  // namespace gatescope::net
