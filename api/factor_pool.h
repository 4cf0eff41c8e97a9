#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/factor_worker.h"
#include "api/sequence_id.h"
#include "proxy/base/log.h"
#include "proxy/base/stats.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

/// A number that workers factor: one of a kind, whoever wants it. Owned by the FactorWorkSource.
struct FactorTask {
  const std::string number;
};

/// What one worker gets at a time: several quick numbers or one hard one, all for one sequence.
struct FactorWork {
  SequenceId sequence{0};  // whose time it is
  std::vector<FactorTask*> tasks;
  unsigned cpu_seconds = 0;  // that each may take
};

/// Where the pool gets its work from and brings it back to. Nothing of the pool may be called from
/// inside.
class FactorWorkSource {
 public:
  enum class Urgency { None, Background, User };  // ascending
  enum class Outcome {
    Expired,   // not in its time
    Died,      // its worker died of it, perhaps
    Returned,  // not begun, or broken off for a more urgent one
  };
  virtual ~FactorWorkSource() = default;
  /// The next numbers of this urgency; no tasks: there are none. What was taken stays valid until
  /// it comes back by one of the events.
  virtual FactorWork next_batch(Urgency urgency) = 0;
  virtual FactorWork next_hard(Urgency urgency) = 0;
  /// How urgent it is by now.
  virtual Urgency urgency(const FactorTask& task) const = 0;
  virtual void on_factored(FactorTask& task, std::string_view factors) = 0;
  virtual void on_not_factored(FactorTask& task, Outcome outcome) = 0;
  /// Time that a worker ran for this sequence.
  virtual void on_time_spent(SequenceId sequence, Duration time) = 0;
};

struct FactorPoolSettings {
  std::string program;   // path
  unsigned workers = 1;  // 0: no factoring
  bool operator==(const FactorPoolSettings&) const = default;
};

/// Worker processes, of which `workers` compute at a time, and what they do: quick numbers in
/// batches before hard ones singly, what somebody waits for before the background. For each of
/// `workers` there is one seat for batches and two for hard numbers, so that a hard number need not
/// be broken off when something more urgent comes: its process is stopped (SIGSTOP) and goes on
/// later. Only when all seats for hard numbers are taken does the background one that ran least
/// give way. A process that dies is replaced, after a growing pause when that does not help.
/// Owned by FactorService.
class FactorPool final : private FactorWorkerEvents, private net::TimerEvents {
 public:
  static constexpr std::size_t kHardSeats = 2;
  static constexpr Duration kLookEvery{5000};
  static constexpr unsigned kMuteWorkers = 3;  // times in a row none spoke: the program is no good
  static constexpr Duration kFirstPause{100}, kLongestPause{60'000};

  FactorPool(net::Loop& loop, Log& log, FactorWorkSource& source, Stats* stats);
  ~FactorPool() override;

  /// From now on. Other settings end all workers; what they had comes back.
  void use(const FactorPoolSettings& settings);
  /// Looks for work, and whether what is done is still the most urgent. At the end of a turn in
  /// which anything changed; never from inside an event of the source.
  void run();
  /// False: there are no workers, or they cannot be started.
  bool available() const { return works() && !broken_; }
  /// There are workers.
  bool works() const { return !seats_.empty(); }
  /// Of the processes that exist.
  std::vector<int> pids() const;

 private:
  using Urgency = FactorWorkSource::Urgency;
  using Outcome = FactorWorkSource::Outcome;
  struct Seat {
    bool hard = false;
    std::unique_ptr<FactorWorker> worker;  // null: none yet, or it died
    FactorWork work;
    std::size_t done = 0;     // of work.tasks
    std::uint64_t began = 0;  // order
    Duration ran{0};          // on this work
    MonoTime running_since{};
    bool running = false;
    bool busy() const { return done < work.tasks.size(); }
  };

  void on_factors(FactorWorker& worker, std::string_view factors) override;
  void on_refused(FactorWorker& worker, std::string_view reason) override;
  void on_idle(FactorWorker& worker) override;
  void on_end(FactorWorker& worker, End end, const std::string& why) override;
  void on_timer(net::Timer&) override;

  Seat& seat_of(const FactorWorker& worker);
  void drop_unwanted();
  void assign_batches();
  void assign_hard();
  void share_processor();
  Seat* seat_for(Urgency urgency);
  bool may_start() const;
  void put(Seat& seat, FactorWork work, Urgency urgency);
  bool start_worker(Seat& seat);
  void set_running(Seat& seat, bool running);
  void count_time(Seat& seat);
  FactorTask& take_first(Seat& seat);
  void say_confinement(std::string_view words);
  void give_back(Seat& seat, Outcome first, Outcome rest);
  void end_worker(Seat& seat);
  void after_failure(const std::string& why);
  Urgency urgency(const Seat& seat) const;

  // Constant after construction
  net::Loop& loop_;
  Log& log_;
  FactorWorkSource& source_;
  const std::unique_ptr<net::Timer> pause_;  // until a worker may be started again
  const std::unique_ptr<net::Timer>
      look_;                  // while hard numbers are computed: do they still matter?
  Counter* asked_ = nullptr;  // null: not counted
  Counter* started_ = nullptr;
  Counter* died_ = nullptr;
  Counter* running_ = nullptr;

  FactorPoolSettings settings_;
  std::vector<Seat> seats_;
  std::uint64_t began_ = 0;
  unsigned failures_ = 0;  // in a row
  unsigned mute_ = 0;      // ... of workers that never spoke
  bool broken_ = false;    // they cannot be started
  bool said_confinement_ = false;
  std::string said_;  // the last complaint, which is not repeated
};

}  // namespace gatescope::api
