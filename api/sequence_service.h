#pragma once

#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "api/answer_cache.h"
#include "api/asking.h"
#include "api/changes.h"
#include "api/client_limit.h"
#include "api/factoring.h"
#include "api/flight.h"
#include "api/form_maker.h"
#include "api/waiting.h"
#include "proxy/base/stats.h"

namespace gatescope::api {

struct SequenceServiceSettings {
  std::size_t cache_bytes = 64u << 20;  // api_cache_size
  Duration deadline{5000};              // of whoever waits: 4 s for OEIS and 1 s for the rest
  Duration factors_deadline{11'000};    // the flight answers after 10 s with what there is
  Duration factors_pause{10'000};       // after a wait in vain nobody waits again for so long
  Duration provisional{60'000};         // how long what may soon be better answers again
  Duration searches{300'000};           // how long a search's answer is kept
  Duration missing{24 * 3600 * 1000};   // how long OEIS is not asked again for what it has not
  std::size_t max_missing = 10'000;     // so many ids are remembered as missing
  std::size_t max_flights = 256;        // answers being obtained at the same time, and searches
  std::size_t max_of_client = 8;        // sequences that one client address waits for
};

/// Answers questions: from memory, else by one Flight per key, whose answer all who asked meanwhile
/// get. A failure leaves nothing behind, and when nothing else can be had, what was known before is
/// answered. Lives on loop 0 (find_at() is for any thread), owned by ApiModule, survives reloads.
class SequenceService final : public Sequences,
                              public ChangeEvents,
                              public FactorEvents,
                              private FlightEvents,
                              private AskingOwner,
                              private SequenceObtainer {
 public:
  SequenceService(net::Loop& loop, Log& log, SequenceServiceSettings settings, Stats* stats);
  ~SequenceService() override;

  /// From now on. Whoever waits is told to come again; what is in memory stays.
  void use(SequenceSources sources);
  void limit_cache(std::size_t bytes);
  /// Forgets every answer in memory; how many there were.
  std::size_t clear_cache();

  std::optional<Answer> find(const Question& question) override {
    return find_at(question, loop_.clock().now());
  }
  /// The same from any loop's thread; `now` of its clock.
  std::optional<Answer> find_at(const Question& question, MonoTime now);
  std::unique_ptr<Request> ask(const Question& question, const std::string& client,
                               AnswerWaiter& waiter) override;
  std::size_t flights() const { return flights_.size(); }

  /// Search may find something else now.
  void expire_searches();

  // What others did, and what was factored
  void on_changed(SequenceId id) override;
  void on_imported() override;
  void on_changes_missed() override;
  void on_factored(SequenceId id, std::shared_ptr<const Terms> terms,
                   std::shared_ptr<const Terms> factors) override;

 private:
  class Obtaining;
  struct Underway {
    std::unique_ptr<Flight> flight;
    std::vector<Waiting*> waiters;
  };
  using Leaving = std::deque<Waiting*>;
  struct Missing {
    MonoTime until;
    std::optional<Refusal> refusal;  // nullopt: there are first terms, only no b-file
  };
  using Kept = std::shared_ptr<const EncodedAnswer>;

  AnswerCache& cache_of(Topic topic) { return topic == Topic::Search ? searches_ : cache_; }
  bool may_begin(Topic topic) const;
  void join(const AnswerKey& key, Count count, Waiting& waiting);
  std::unique_ptr<Flight> make_flight(const AnswerKey& key);
  Leaving take_off(const AnswerKey& key);
  template <class Tell>
  void deliver(Leaving leaving, const Tell& tell);
  bool waited_in_vain(const Question& question, const EncodedAnswer& known);
  void remember_waiting(SequenceId id, const Landing& landing);
  void remember_missing(SequenceId id, std::optional<Refusal> refusal);
  bool has_no_bfile(SequenceId id);
  void renew_factors(const Kept& known, std::shared_ptr<const Terms> factors);
  void forget_waiting(const Waiting& waiting);

  // FlightEvents
  void on_answer(Kept answer, std::shared_ptr<const Sequence> sequence) override;
  void on_entry_stored() override;
  void on_landed(const AnswerKey& key, const Landing& landing) override;
  // AskingOwner, SequenceObtainer
  void forget(Asking& asking) override;
  Kept last_known(const AnswerKey& key) override;
  std::unique_ptr<SequenceObtainer::Job> obtain(SequenceId id,
                                                std::function<void(Obtained)> done) override;

  // Constant after construction
  net::Loop& loop_;
  Log& log_;
  const SequenceServiceSettings settings_;
  Counter* hits_ = nullptr;  // null: not counted
  Counter* misses_ = nullptr;
  Counter* refused_ = nullptr;
  Counter* waiting_ = nullptr;
  Counter* entries_stored_ = nullptr;

  SequenceSources sources_;  // no store: everything is Unavailable
  ClientLimit clients_;
  FormMaker forms_;
  std::unordered_map<AnswerKey, Underway> flights_;
  std::size_t searching_ = 0;   // of them, those that search
  std::list<Leaving> leaving_;  // being told now; one that is destroyed meanwhile is taken out
  /// Answers about factors being encoded anew; one for each sequence.
  std::unordered_map<SequenceId, std::unique_ptr<net::WorkerLane::Ticket>> renewals_;
  /// Whose factors were waited for in vain lately.
  struct InVain {
    MonoTime until;
    std::size_t terms;
  };
  std::unordered_map<SequenceId, InVain> in_vain_;

  std::mutex mutex_;  // guards what follows
  AnswerCache cache_, searches_;
  std::unordered_map<SequenceId, Missing> missing_;
};

}  // namespace gatescope::api
