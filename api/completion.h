#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "api/api_log.h"
#include "api/completion_work.h"
#include "proxy/base/stats.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

struct CompletionSettings {
  std::size_t max_waiting = 256;    // more: the oldest waits in the database only
  std::size_t max_known = 4096;     // so many are remembered as completed without asking
  Duration first_pause{3000};       // whoever asked for one thing asks for another just after it
  Duration pause{250};              // between two sequences, for those that need no OEIS
  Duration elsewhere{10 * 60'000};  // then the other gatescope may have died
  Duration again{5 * 60'000};       // after a failure, doubled each time
  unsigned attempts = 5;            // ... then after the next start
  Duration database_pause{30'000};
};

/// After a sequence was asked for the first time: obtains in the background what the other
/// endpoints will need, once, one sequence after the other, the newest first. What waits is in the
/// database and goes on after a restart. OeisClient paces what goes to OEIS. On loop 0; owned by
/// ApiModule.
///   Idle -> Working -> Pausing -> Working ... -> Idle
class Completion final : public Completing, private CompletionEvents, private net::TimerEvents {
 public:
  Completion(net::Loop& loop, CompletionSettings settings, ApiLog& log, Stats* stats);
  ~Completion() override;

  /// From now on; what is under way is dropped, and what was not completed comes again. Without
  /// stores: nothing is done.
  void use(CompletionSources sources);
  void wish(SequenceId id) override;
  void forget() override { known_.clear(); }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Wish {
    SequenceId id;
    MonoTime not_before;
    unsigned attempts = 0;
  };
  void on_timer(net::Timer&) override { go_on(); }
  void on_end(CompletionWork& work, CompletionEnd end) override;
  void on_listed(Result<std::vector<SequenceId>> listed);
  void go_on();
  void list();
  void go_on_within(Duration within);
  void retry(Wish wish, Duration after);
  void remember(SequenceId id);
  bool is_known(SequenceId id) const;
  void drop_oldest();

  // Constant after construction
  net::Loop& loop_;
  const CompletionSettings settings_;
  ApiLog& log_;
  const std::unique_ptr<net::Timer> timer_;
  Counter* waiting_count_ = nullptr;  // null: not counted
  Counter* completed_ = nullptr;

  CompletionSources sources_;
  std::deque<Wish> waiting_;       // the newest last
  std::deque<SequenceId> known_;   // completed; the oldest first. Few enough to look through
  bool more_in_database_ = false;  // some are there that are not in waiting_
  MonoTime paused_until_{};
  MonoTime timer_at_{};                          // while it runs
  std::unique_ptr<SequenceStore::Job> listing_;  // null: not under way
  std::unique_ptr<CompletionWork> work_;         // null: not under way
  Wish current_{SequenceId(0), {}};              // while work_
};

}  // namespace gatescope::api
