#include "proxy/net/thread_lane.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace gatescope::net {

/// One piece of work. Shared by the ticket and whoever holds the work now: the queue, a thread, or
/// the loop's mail.
struct ThreadLane::Job {
  std::function<void(unsigned)> work;  // the lane's, then its thread's; destroyed there
  Task done;                           // the loop thread's; empty once dropped
};

class ThreadLane::JobTicket final : public WorkerLane::Ticket {
 public:
  JobTicket(std::weak_ptr<ThreadLane> lane, std::shared_ptr<Job> job)
      : lane_(std::move(lane)), job_(std::move(job)) {}
  ~JobTicket() override {
    job_->done = nullptr;
    if (const auto lane = lane_.lock()) lane->cancel(job_);
  }

 private:
  const std::weak_ptr<ThreadLane> lane_;
  const std::shared_ptr<Job> job_;
};

ThreadLane::ThreadLane(Loop& loop, Log& log, const LaneOptions& options)
    : loop_(loop), log_(log), options_(options) {
  // Signals are the loop's: a thread inherits the mask of its maker.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (unsigned i = 0; i < std::max(1u, options_.threads); ++i) {
    threads_.emplace_back([this, i] { run_thread(i); });
    const std::string name = options_.name.substr(0, 15);  // the kernel's limit
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ThreadLane::~ThreadLane() {
  close();
}

Result<std::unique_ptr<WorkerLane::Ticket>> ThreadLane::submit(
    std::function<void(unsigned thread)> work, Task done) {
  auto job = std::make_shared<Job>(Job{std::move(work), std::move(done)});
  {
    const std::lock_guard lock(mutex_);
    if (closing_) {
      return make_error(ErrorKind::Cancelled, Origin::Internal,
                        "lane \"" + options_.name + "\" is closed");
    }
    if (queue_.size() >= options_.queue_limit) {
      return make_error(ErrorKind::Busy, Origin::Internal,
                        "the queue of lane \"" + options_.name + "\" is full");
    }
    queue_.push_back(job);
  }
  wake_.notify_one();
  return std::unique_ptr<Ticket>(std::make_unique<JobTicket>(weak_from_this(), std::move(job)));
}

std::size_t ThreadLane::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void ThreadLane::cancel(const std::shared_ptr<Job>& job) {
  const std::lock_guard lock(mutex_);
  std::erase(queue_, job);
}

void ThreadLane::close() {
  std::deque<std::shared_ptr<Job>> dropped;  // destroyed without the lock
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    dropped.swap(queue_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_)
    thread.join();
  threads_.clear();
}

void ThreadLane::run_thread(unsigned number) {
  for (;;) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return closing_ || !queue_.empty(); });
    if (closing_) return;
    std::shared_ptr<Job> job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    run_job(*job, number);
    // `done` belongs to the loop's thread, and so does the last reference.
    loop_.post([job = std::move(job)] {
      if (const Task done = std::move(job->done)) done();
    });
  }
}

void ThreadLane::run_job(Job& job, unsigned thread) {
  try {
    job.work(thread);
  } catch (const std::exception& e) {
    log_.print(LogLevel::Alert, "work on lane \"{}\" threw: {}", options_.name, e.what());
  } catch (...) {
    log_.print(LogLevel::Alert, "work on lane \"{}\" threw", options_.name);
  }
  job.work = nullptr;
}

}  // namespace gatescope::net
