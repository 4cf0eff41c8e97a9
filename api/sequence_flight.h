#pragma once

#include <memory>
#include <optional>
#include <string>

#include "api/entry_finder.h"
#include "api/flight.h"
#include "api/sequence_maker.h"

namespace gatescope::api {

/// Obtains a sequence's terms and name: from the store, else from OEIS (and stores them), else its
/// first terms from oeisdata (which are stored too, apart).
///
///   Reading -> Entry -> Claiming -> Fetching -> Making -> Landed
///      |         `-> Making (of stored terms, of an entry's) -> Landed
///      `-> Making (of stored terms) -> Claiming -> Naming -> Renaming -> Landed
///   Claiming -> Elsewhere -> Reading: another gatescope works on it, and may have stored it
/// Naming only when the name is unknown after all that, and OEIS may be asked. Any -> Landed. With
/// several gatescopes the row is read again once the claim is ours: it may have come meanwhile.
class SequenceFlight final : public Flight, private net::TimerEvents {
 public:
  SequenceFlight(SequenceId id, SequenceSources sources, net::Loop& loop, Log& log,
                 FlightEvents& events);
  void start() override;
  void on_changed() override;

 private:
  enum class State {
    Idle,
    Reading,
    Entry,
    Claiming,
    Elsewhere,
    Fetching,
    Making,
    Naming,
    Renaming,
    Landed
  };

  void read();
  void on_stored(Result<StoredSequence> stored);
  void on_entry(Result<std::optional<SeqEntry>> entry);
  void decide();
  void claim();
  void on_claim(Result<std::unique_ptr<Claim>> claim);
  void wait_elsewhere();
  void on_timer(net::Timer& timer) override;
  void fetch();
  void on_bfile(OeisAnswer answer);
  void use_local(Answer otherwise, bool missing = false);
  void make(State state, Ingredients ingredients);
  void on_made(MadeSequence made);
  void fetch_name();
  void on_record(OeisAnswer answer);
  void on_renamed(MadeSequence made);
  void land(Answer reason, bool missing = false);
  Refusal name_unknown() const;
  /// Terms are there, and only the name is to be found.
  bool wants_name() const { return stored_ || sequence_; }

  // Constant after construction
  const SequenceId id_;
  const SequenceSources sources_;
  net::Loop& loop_;
  FlightEvents& events_;
  const MonoTime began_;

  State state_ = State::Idle;
  EntryFinder entry_;
  bool looked_ = false;              // entry_ has been asked
  bool no_bfile_ = false;            // OEIS says so
  bool may_fetch_ = false;           // the claim is ours, or there is none to be had
  bool fetched_ = false;             // the terms being made came from OEIS just now: store them
  std::optional<Sequence> stored_;   // terms from the database
  std::optional<SeqEntry> local_;    // the stored entry of oeisdata: its name, its first terms
  std::optional<std::string> name_;  // the best known so far
  std::shared_ptr<const Sequence> sequence_;  // what was made
  const std::unique_ptr<net::Timer> timer_;   // in Elsewhere
  // The work under way; those of past states stay until the end.
  std::unique_ptr<SequenceStore::Job> job_;
  std::unique_ptr<Claim> claim_;
  std::unique_ptr<Oeis::Fetch> bfile_, record_;
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;
};

}  // namespace gatescope::api
