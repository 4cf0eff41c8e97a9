#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/factor_memory.h"
#include "api/factor_pool.h"
#include "api/factor_sequence.h"
#include "api/factoring.h"

namespace gatescope::api {

struct FactorServiceSettings {
  std::size_t max_background = 256;  // sequences that nobody waits for; the newest are kept
  std::size_t max_background_bytes = 256u << 20;  // of their terms
  std::size_t max_waited = 256;       // sequences that somebody waits for; more are not waited for
  Duration budget{1000'000};          // of computing for a sequence ...
  Duration rest{24 * 3600 * 1000};    // ... and then again after so long
  std::size_t max_resting = 10'000;   // sequences remembered as resting
  Duration progress{1000};            // between two events about a sequence
  std::size_t terms_per_turn = 4096;  // looked at, so that nobody else waits long
};

/// Factors sequences: one Entry for each, whoever asks for it meanwhile; one task for each number,
/// however many sequences have it. What somebody waits for goes before the background, quick
/// numbers before hard ones, and of hard ones the short ones first. Lives on loop 0, owned by
/// ApiModule, survives reloads.
class FactorService final : public LocalFactoring, private FactorWorkSource, private net::TurnHook {
 public:
  FactorService(net::Loop& loop, Log& log, FactorEvents& events, FactorServiceSettings settings,
                Stats* stats);
  ~FactorService() override;

  /// From now on. Without workers what is open stays so.
  void use(const FactorPoolSettings& settings);
  /// Tells what is known of all sequences under way, and does no more.
  void stop();

  std::unique_ptr<Request> factor(Job job, std::size_t count, Duration within, Done done) override;
  void factor_in_background(Job job) override;
  bool works_on(SequenceId id) const override { return entries_.contains(id); }

  std::size_t sequences() const { return entries_.size(); }
  const FactorPool& pool() const { return pool_; }

 private:
  class Asking;
  class Entry;
  struct Task;
  /// Goes on in the next turn with what was too much for one.
  class More final : public net::TurnHook {
   public:
    explicit More(FactorService& service) : service_(service) {}
    void on_turn_end() override {
      service_.looked_ = 0;
      service_.on_turn_end();
    }

   private:
    FactorService& service_;
  };

  // FactorWorkSource
  FactorWork next_batch(Urgency urgency) override;
  FactorWork next_hard(Urgency urgency) override;
  Urgency urgency(const FactorTask& task) const override;
  void on_factored(FactorTask& task, std::string_view factors) override;
  void on_not_factored(FactorTask& task, Outcome outcome) override;
  void on_time_spent(SequenceId sequence, Duration time) override;

  void on_turn_end() override;
  Entry& entry_for(Job job);
  std::vector<Entry*> in_order(Urgency urgency);
  void fill(FactorWork& work, Entry& entry, Urgency urgency);
  Task* begin(Entry& entry, std::uint32_t index, const std::string& number);
  unsigned seconds_for(const Entry& entry, unsigned pass, Urgency urgency) const;
  void changed(Entry& entry);
  void deliver();
  void tell_leaving();
  void end_what_is_over();
  bool over(const Entry& entry) const;
  void keep_newest();
  void publish(Entry& entry);
  std::unique_ptr<Entry> take_off(Entry& entry);
  bool rests(const Job& job);
  void rest(const Entry& entry);

  // Constant after construction
  net::Loop& loop_;
  Log& log_;
  FactorEvents& events_;
  const FactorServiceSettings settings_;
  Counter* under_way_ = nullptr;  // null: not counted
  Counter* factored_ = nullptr;
  Counter* numbers_ = nullptr;

  FactorMemory memory_;
  DeadlyNumbers deadly_;
  std::unordered_map<std::string, std::unique_ptr<Task>> tasks_;
  std::unordered_map<SequenceId, std::unique_ptr<Entry>> entries_;
  std::vector<std::unique_ptr<Entry>>
      replaced_;                  // others came in their place: to be told and ended
  std::vector<Asking*> leaving_;  // to be told; one that is destroyed meanwhile is taken out
  struct Resting {
    MonoTime until;
    std::size_t terms;  // their hash
  };
  std::unordered_map<SequenceId, Resting> resting_;
  std::uint64_t arrivals_ = 0;
  std::uint64_t served_ = 0;  // order among those that somebody waits for
  std::size_t looked_ = 0;    // terms looked at since more_ ran
  More more_{*this};
  FactorPool pool_;  // last: it gives its work back
};

}  // namespace gatescope::api
