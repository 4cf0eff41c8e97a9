#pragma once

#include <memory>
#include <vector>

#include "api/flight.h"
#include "api/waiting.h"

namespace gatescope::api {

/// Obtains the factors of a sequence's terms: those that are stored, and in the time that a request
/// has those that are found; the rest is answered as not known yet, and goes on without it.
///   Reading -> (Obtaining) -> Working -> Landed
/// Each number of terms that somebody waits for is one request to Factoring, however many wait.
class FactorsFlight final : public Flight, private net::TimerEvents {
 public:
  /// Then those who wait get what there is.
  static constexpr Duration kDeadline{10'000};

  FactorsFlight(SequenceId id, SequenceSources sources, net::Loop& loop, SequenceObtainer& obtainer,
                FlightEvents& events);
  void start() override;
  void want(Count count) override;

 private:
  enum class State { Idle, Reading, Obtaining, Working, Landed };
  struct Working {
    std::size_t count;
    std::unique_ptr<Factoring::Request> request;  // null: done
  };

  void on_stored(Result<StoredSequence> stored);
  void on_obtained(Obtained obtained);
  void work(std::shared_ptr<const Sequence> sequence);
  void begin(std::size_t count);
  void on_factors(std::size_t count, std::shared_ptr<const Terms> factors);
  void encode();
  void on_timer(net::Timer&) override { encode(); }
  void on_encoded(std::shared_ptr<const EncodedAnswer> answer);
  void land(Landing landing);

  // Constant after construction
  const SequenceId id_;
  const SequenceSources sources_;
  net::Loop& loop_;
  SequenceObtainer& obtainer_;
  FlightEvents& events_;
  const MonoTime began_;
  const std::unique_ptr<net::Timer> timer_;  // while the worker is busy

  State state_ = State::Idle;
  std::vector<Count> wanted_;  // until the number of terms is known
  std::shared_ptr<const Sequence> sequence_;
  std::shared_ptr<const Terms> terms_;    // sequence_'s
  std::shared_ptr<const Terms> factors_;  // known so far; may be shorter; null: none
  std::size_t known_ = 0;                 // so many of them, from the first on
  std::vector<Working> working_;
  std::size_t open_ = 0;        // of them, not done
  std::size_t waited_for_ = 0;  // the most terms that somebody waited for
  bool encode_again_ = false;   // factors_ changed while it was being encoded
  std::unique_ptr<SequenceStore::Job> job_;
  std::unique_ptr<SequenceObtainer::Job> obtaining_;
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;  // null: nothing is being encoded
};

}  // namespace gatescope::api
