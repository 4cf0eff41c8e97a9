#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/loop.h"

namespace gatescope::api {

class FactorWorker;
class FactorWorkerEvents {
 public:
  virtual ~FactorWorkerEvents() = default;
  /// Of the first number that was asked and is not answered yet.
  virtual void on_factors(FactorWorker& worker, std::string_view factors) = 0;
  /// It could not, but works on: as after a death, without one.
  virtual void on_refused(FactorWorker& worker, std::string_view reason) = 0;
  /// All that was asked is answered.
  virtual void on_idle(FactorWorker& worker) = 0;
  enum class End {
    Unused,   // nothing to do for kIdle
    Expired,  // the first unanswered number had its time
    Failed,   // it never spoke
    Died,     // or talked nonsense, and was killed
  };
  /// The last event. The worker may be discarded inside, not destroyed.
  virtual void on_end(FactorWorker& worker, End end, const std::string& why) = 0;
};

/// One process gatescope-factor and the conversation with it (api/factor/conversation.h). Owned by
/// FactorPool; destroying it kills the process.
///
///   Starting -> Idle <-> Busy; any -> Ended
/// Starting waits for kStart at most, Idle for kIdle, Busy for the CPU seconds that were asked and
/// kPatience more (the kernel counts those; this is for a worker that hangs, and does not run while
/// it is paused).
class FactorWorker final : private net::ProcessEvents,
                           private net::StreamEvents,
                           private net::TimerEvents {
 public:
  static constexpr Duration kStart{10'000};
  static constexpr Duration kIdle{60'000};
  static constexpr Duration kPatience{30'000};
  static constexpr unsigned kStarvation = 10;  // so many times slower may a busy machine make it
  static constexpr std::size_t kLongestLine = 4096;  // of an answer

  static Result<std::unique_ptr<FactorWorker>> start(net::Loop& loop, const std::string& program,
                                                     FactorWorkerEvents& events);
  FactorWorker(net::Loop& loop, FactorWorkerEvents& events);
  ~FactorWorker() override;

  /// Precondition: nothing is unanswered. Each number may take so many seconds of CPU.
  void ask(const std::vector<std::string_view>& numbers, unsigned cpu_seconds);
  bool busy() const { return unanswered_ > 0; }
  void pause();
  void resume();
  bool paused() const { return paused_; }
  /// No event comes any more; to be discarded.
  void close();
  /// When nobody waits for what it does. Cannot be undone.
  void lower_priority();
  bool lowered() const { return lowered_; }
  int pid() const { return process_->pid(); }
  /// How it said that it confined itself: "filter,landlock", one of them, or "none".
  const std::string& confinement() const { return confinement_; }

 private:
  enum class State { Starting, Ready, Ended };

  void on_exit(int status) override;
  void on_data(std::span<const std::byte> data) override;
  void on_end() override;
  void on_drained() override {}
  void on_failed(const Error& error) override;
  void on_timer(net::Timer&) override;

  bool take_line(std::string_view line);
  bool take_answer(std::string_view line);
  void wait_for_answer();
  void conversation_ended();
  void finish(FactorWorkerEvents::End end, const std::string& why);

  // Constant after construction
  net::Loop& loop_;
  FactorWorkerEvents& events_;
  const std::unique_ptr<net::Timer> timer_;
  std::unique_ptr<net::Process> process_;
  std::unique_ptr<net::Stream> stream_;

  State state_ = State::Starting;
  std::string heard_;              // an answer that has begun
  unsigned long next_number_ = 1;  // of the first unanswered one, as both sides count
  std::size_t unanswered_ = 0;
  unsigned cpu_seconds_ = 0;
  Duration patience_{0};  // left when timer_ was started
  MonoTime patient_since_{};
  bool paused_ = false, lowered_ = false;
  std::string confinement_;               // empty: it has not spoken yet
  bool exited_ = false, silent_ = false;  // both: it is over
  int status_ = 0;
};

}  // namespace gatescope::api
