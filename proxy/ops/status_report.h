#pragma once

// How the server fares, in one place: the status page, `gatescope status`, metrics and health all
// read this.

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "proxy/base/stats.h"
#include "proxy/ops/history.h"
#include "proxy/ops/server_facts.h"

namespace gatescope::ops {

/// What a look found; everything that is shown is made of this.
struct StatusView {
  WallTime at{};
  MonoTime now{};
  ServerFacts facts;
  std::vector<std::string> problems;  // for the operator, in sentences; empty: healthy
};

/// Looks at Stats and at the server's facts once a second, keeps a History of it and says what is
/// wrong. Owned by Server. tick() and refresh() on loop 0; everything else on any thread, as of the
/// last look.
class StatusReport {
 public:
  /// All of it outlives the report. `clock`: loop 0's.
  StatusReport(Stats& stats, const FactSource& facts, const Clock& clock);

  /// Once a second: history, memory, facts.
  void tick();
  /// Something that is shown has changed just now (a reload): before json() on loop 0, too.
  void refresh();

  bool healthy() const;
  std::vector<std::string> problems() const;
  StatusView view() const;
  /// One object, the fields of doc/administration.md, "Seeing".
  std::string json() const;
  /// The same with "history": what happened since the point of that number (0: all that is known).
  std::string json_with_history(std::uint64_t fine_after, std::uint64_t coarse_after) const;
  /// One line for `systemctl status`: connections, requests, certificate, database, problems.
  std::string line() const;
  /// Reasons not to send requests here now; empty: ready. `needs_database`: that it is down is one.
  std::vector<std::string> not_ready(bool needs_database) const;
  const Stats& stats() const { return stats_; }

 private:
  void look(const StatValues& values);
  void note_losses(const StatValues& values);
  void show_in_stats(const ServerFacts& facts);

  // Constant after construction
  Stats& stats_;
  const FactSource& facts_;
  const Clock& clock_;
  Counter &memory_, &started_, &generation_, &loops_, &reloads_good_, &reloads_failed_,
      &last_reload_good_, &last_reload_at_, &healthy_;

  mutable std::mutex mutex_;  // guards what follows
  StatusView view_;
  History history_;
  std::int64_t lost_lines_ = 0;
  std::optional<WallTime> lost_at_;  // when lines were lost last
};

/// For `not_ready` and the problems alike: empty when it is not asked for, or answers.
std::string database_trouble(const StatValues& values);
/// What is wrong, worst first. `window`: of the last minutes.
std::vector<std::string> find_problems(const ServerFacts& facts, const StatValues& values,
                                       const History::Window& window, WallTime now);
/// Bytes of memory that the process has in RAM; 0 where the system does not say.
std::int64_t resident_memory();

}  // namespace gatescope::ops
