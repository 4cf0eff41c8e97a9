#include "api/factor_pool.h"

#include <algorithm>
#include <utility>

namespace gatescope::api {

FactorPool::FactorPool(net::Loop& loop, Log& log, FactorWorkSource& source, Stats* stats)
    : loop_(loop),
      log_(log),
      source_(source),
      pause_(loop.make_timer(*this)),
      look_(loop.make_timer(*this)) {
  if (stats == nullptr) return;
  asked_ = &stats->counter("api_numbers_given", "numbers", "Numbers given to factor workers.");
  started_ = &stats->counter("api_factor_workers_started", "processes", "Factor workers started.");
  died_ = &stats->counter("api_factor_workers_died", "processes",
                          "Factor workers that died or talked nonsense.");
  running_ = &stats->gauge("api_factor_workers_busy", "processes",
                           "Factor workers that compute now; those that are stopped are not.");
}

FactorPool::~FactorPool() = default;

void FactorPool::use(const FactorPoolSettings& settings) {
  if (settings == settings_) return;
  settings_ = settings;
  if (running_ != nullptr) running_->set(0);
  for (Seat& seat : seats_) {
    end_worker(seat);
    give_back(seat, Outcome::Returned, Outcome::Returned);
  }
  pause_->stop();
  failures_ = mute_ = 0;
  broken_ = said_confinement_ = false;
  said_.clear();
  seats_ = std::vector<Seat>(settings.workers * (1 + kHardSeats));
  for (std::size_t i = settings.workers; i < seats_.size(); ++i)
    seats_[i].hard = true;
}

std::vector<int> FactorPool::pids() const {
  std::vector<int> pids;
  for (const Seat& seat : seats_)
    if (seat.worker) pids.push_back(seat.worker->pid());
  return pids;
}

void FactorPool::run() {
  if (seats_.empty()) return;
  for (Seat& seat : seats_)
    if (seat.busy()) count_time(seat);
  drop_unwanted();
  assign_batches();
  assign_hard();
  share_processor();
  const bool hard = std::any_of(seats_.begin(), seats_.end(),
                                [](const Seat& seat) { return seat.hard && seat.busy(); });
  if (hard && !look_->running()) look_->start(kLookEvery);
  if (running_ == nullptr) return;
  running_->set(std::count_if(seats_.begin(), seats_.end(), [](const Seat& seat) {
    return seat.worker && seat.busy() && seat.running;
  }));
}

FactorPool::Urgency FactorPool::urgency(const Seat& seat) const {
  Urgency most = Urgency::None;
  for (std::size_t i = seat.done; i < seat.work.tasks.size(); ++i)
    most = std::max(most, source_.urgency(*seat.work.tasks[i]));
  return most;
}

// A batch is over soon anyway.
void FactorPool::drop_unwanted() {
  for (Seat& seat : seats_) {
    if (!seat.hard || !seat.busy() || urgency(seat) != Urgency::None) continue;
    end_worker(seat);
    give_back(seat, Outcome::Returned, Outcome::Returned);
  }
}

void FactorPool::assign_batches() {
  const bool user_computes = std::any_of(seats_.begin(), seats_.end(), [this](const Seat& seat) {
    return seat.hard && seat.busy() && urgency(seat) == Urgency::User;
  });
  for (Seat& seat : seats_) {
    if (seat.hard || seat.busy() || (!seat.worker && !may_start())) continue;
    FactorWork work = source_.next_batch(Urgency::User);
    if (work.tasks.empty() && !user_computes) work = source_.next_batch(Urgency::Background);
    if (work.tasks.empty()) return;
    put(seat, std::move(work), Urgency::User);
  }
}

void FactorPool::assign_hard() {
  while (Seat* seat = seat_for(Urgency::User)) {
    FactorWork work = source_.next_hard(Urgency::User);
    if (work.tasks.empty()) break;
    if (seat->busy()) {
      end_worker(*seat);
      give_back(*seat, Outcome::Returned, Outcome::Returned);
    }
    put(*seat, std::move(work), Urgency::User);
  }
  // Of the background no more is begun than can be computed.
  const auto busy = [](const Seat& seat) { return seat.busy(); };
  while (std::count_if(seats_.begin(), seats_.end(), busy) <
         static_cast<std::ptrdiff_t>(settings_.workers)) {
    Seat* seat = seat_for(Urgency::Background);
    if (seat == nullptr) return;
    FactorWork work = source_.next_hard(Urgency::Background);
    if (work.tasks.empty()) return;
    put(*seat, std::move(work), Urgency::Background);
  }
}

/// A free seat for a hard number, rather one with a worker that fits; for a user's one else the
/// background's that ran least. Null: none.
FactorPool::Seat* FactorPool::seat_for(Urgency urgency) {
  const bool user = urgency == Urgency::User;
  Seat* free = nullptr;
  Seat* least = nullptr;
  for (Seat& seat : seats_) {
    if (!seat.hard || (!seat.worker && !may_start())) continue;
    if (!seat.busy()) {
      const bool fits = seat.worker && seat.worker->lowered() != user;
      if (free == nullptr || fits) free = &seat;
    } else if (user && this->urgency(seat) == Urgency::Background &&
               (least == nullptr || seat.ran < least->ran)) {
      least = &seat;
    }
  }
  return free != nullptr ? free : least;
}

bool FactorPool::may_start() const {
  return !pause_->running();
}

void FactorPool::put(Seat& seat, FactorWork work, Urgency urgency) {
  seat.work = std::move(work);
  seat.done = 0;
  seat.ran = Duration(0);
  seat.began = ++began_;
  if (seat.worker && seat.worker->lowered() && urgency == Urgency::User) end_worker(seat);
  if (!seat.worker && !start_worker(seat))
    return give_back(seat, Outcome::Returned, Outcome::Returned);
  std::vector<std::string_view> numbers;
  for (const FactorTask* task : seat.work.tasks)
    numbers.emplace_back(task->number);
  seat.running_since = loop_.clock().now();
  if (asked_ != nullptr) asked_->add(static_cast<std::int64_t>(numbers.size()));
  seat.worker->ask(numbers, seat.work.cpu_seconds);
}

bool FactorPool::start_worker(Seat& seat) {
  FactorWorkerEvents& events = *this;  // a private base: only we can see that
  auto worker = FactorWorker::start(loop_, settings_.program, events);
  if (!worker) {
    broken_ = true;
    after_failure("a factor worker cannot be started: " + worker.error().detail);
    return false;
  }
  if (started_ != nullptr) started_->add();
  seat.worker = std::move(worker).value();
  seat.running = true;
  seat.running_since = loop_.clock().now();
  return true;
}

/// The most urgent seats run, as many as there are workers, the others are stopped. Batches always
/// run: they are short.
void FactorPool::share_processor() {
  struct Place {
    Seat* seat;
    Urgency urgency;
  };
  std::vector<Place> hard;
  std::size_t room = settings_.workers;
  for (Seat& seat : seats_) {
    if (!seat.worker || !seat.busy()) continue;
    if (seat.hard) {
      hard.push_back({&seat, urgency(seat)});
    } else {
      set_running(seat, true);
      if (room > 0) --room;
    }
  }
  std::sort(hard.begin(), hard.end(), [](const Place& a, const Place& b) {
    if (a.urgency != b.urgency) return a.urgency > b.urgency;
    if (a.seat->work.cpu_seconds != b.seat->work.cpu_seconds)
      return a.seat->work.cpu_seconds < b.seat->work.cpu_seconds;
    return a.seat->began < b.seat->began;
  });
  for (std::size_t i = room; i < hard.size(); ++i)
    set_running(*hard[i].seat, false);
  for (std::size_t i = 0; i < std::min(room, hard.size()); ++i)
    set_running(*hard[i].seat, true);
  for (const Place& place : hard)
    if (place.urgency == Urgency::Background) place.seat->worker->lower_priority();
}

void FactorPool::set_running(Seat& seat, bool running) {
  if (seat.running == running) return;
  count_time(seat);
  seat.running = running;
  seat.running_since = loop_.clock().now();
  if (running) {
    seat.worker->resume();
  } else {
    seat.worker->pause();
  }
}

void FactorPool::count_time(Seat& seat) {
  const MonoTime now = loop_.clock().now();
  if (seat.running && !seat.work.tasks.empty()) {
    const auto time = std::chrono::duration_cast<Duration>(now - seat.running_since);
    seat.ran += time;
    source_.on_time_spent(seat.work.sequence, time);
  }
  seat.running_since = now;
}

FactorPool::Seat& FactorPool::seat_of(const FactorWorker& worker) {
  return *std::find_if(seats_.begin(), seats_.end(),
                       [&](const Seat& seat) { return seat.worker.get() == &worker; });
}

FactorTask& FactorPool::take_first(Seat& seat) {
  return *seat.work.tasks[seat.done++];
}

void FactorPool::on_factors(FactorWorker& worker, std::string_view factors) {
  source_.on_factored(take_first(seat_of(worker)), factors);
}

void FactorPool::on_refused(FactorWorker& worker, std::string_view reason) {
  FactorTask& task = take_first(seat_of(worker));
  log_.print(LogLevel::Warn, "a number of {} digits could not be factored: {}", task.number.size(),
             reason);
  source_.on_not_factored(task, Outcome::Died);
}

void FactorPool::on_idle(FactorWorker& worker) {
  Seat& seat = seat_of(worker);
  count_time(seat);
  seat.work.tasks.clear();
  seat.done = 0;
  failures_ = mute_ = 0;
  broken_ = false;
  said_.clear();
  if (!std::exchange(said_confinement_, true)) say_confinement(worker.confinement());
}

void FactorPool::say_confinement(std::string_view words) {
  const bool filter = words.find("filter") != words.npos;
  const bool landlock = words.find("landlock") != words.npos;
  if (filter && landlock) {
    log_.write(LogLevel::Notice,
               "factor workers are confined: system calls of computing only (seccomp), no files "
               "(Landlock), no new privileges, descriptors or processes");
    return;
  }
  log_.print(
      LogLevel::Warn,
      "factor workers are confined less than they could be, the kernel has no {}; what holds: "
      "{}no new privileges, descriptors or processes",
      !filter && !landlock ? "seccomp filters and no Landlock"
      : filter             ? "Landlock"
                           : "seccomp filters",
      filter     ? "system calls of computing only (seccomp), "
      : landlock ? "no files (Landlock), "
                 : "");
}

void FactorPool::on_end(FactorWorker& worker, End end, const std::string& why) {
  Seat& seat = seat_of(worker);
  count_time(seat);
  loop_.discard(std::move(seat.worker));
  seat.running = false;
  switch (end) {
    case End::Unused:
      return;
    case End::Expired:
      return give_back(seat, Outcome::Expired, Outcome::Returned);
    case End::Failed:
      if (!pause_->running()) ++mute_;
      broken_ = broken_ || mute_ >= kMuteWorkers;
      after_failure("a factor worker does not start: " + why);
      return give_back(seat, Outcome::Returned, Outcome::Returned);
    case End::Died:
      break;
  }
  if (died_ != nullptr) died_->add();
  after_failure("a factor worker is lost: " + why);
  // Answers may have been under way, so it is not sure which of them did it.
  give_back(seat, Outcome::Died, Outcome::Died);
}

void FactorPool::give_back(Seat& seat, Outcome first, Outcome rest) {
  const FactorWork work = std::exchange(seat.work, FactorWork());
  const std::size_t done = std::exchange(seat.done, 0);
  for (std::size_t i = done; i < work.tasks.size(); ++i)
    source_.on_not_factored(*work.tasks[i], i == done ? first : rest);
}

void FactorPool::end_worker(Seat& seat) {
  if (!seat.worker) return;
  count_time(seat);
  seat.worker->close();
  loop_.discard(std::move(seat.worker));
  seat.running = false;
}

// The first death in a row costs no pause: it may have been the number's fault. Several at the same
// time are one failure.
void FactorPool::after_failure(const std::string& why) {
  if (said_ != why) log_.write(LogLevel::Error, why);
  said_ = why;
  if (pause_->running()) return;
  ++failures_;
  if (failures_ < 2 && mute_ == 0 && !broken_) return;
  const unsigned doublings = std::min(failures_ - 1, 20U);
  pause_->start(std::min(kLongestPause, kFirstPause * (1 << doublings)));
}

void FactorPool::on_timer(net::Timer&) {
  run();
}

}  // namespace gatescope::api
