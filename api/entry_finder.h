#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "api/flight.h"
#include "api/seq_file.h"

namespace gatescope::api {

/// Finds the entry of oeisdata: what the database has, after storing what the tree has newer. What
/// is found is always what the database then has. Owned by a flight.
///   Idle -> Entry -> (Local -> Keeping) -> Found
class EntryFinder {
 public:
  using Done = std::function<void(Result<std::optional<SeqEntry>>)>;

  /// All that is handed in outlives it.
  EntryFinder(SequenceId id, const SequenceSources& sources, Log& log, FlightEvents& events)
      : id_(id), sources_(sources), log_(log), events_(events) {}
  /// `done` once, never from inside; it may destroy this. An error is the database's.
  void start(Done done);

 private:
  void on_entry(Result<std::optional<SeqEntry>> entry);
  void on_local(Result<std::optional<SeqEntry>> newer);
  void on_kept(Result<std::optional<SeqEntry>> entry);
  void finish(Result<std::optional<SeqEntry>> entry);

  const SequenceId id_;
  const SequenceSources& sources_;
  Log& log_;
  FlightEvents& events_;

  Done done_;
  std::optional<SeqEntry> known_;
  std::unique_ptr<SequenceStore::Job> job_;
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;
};

}  // namespace gatescope::api
