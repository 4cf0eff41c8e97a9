#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "api/oeis.h"
#include "api/seq_file.h"
#include "api/sequence_maker.h"
#include "api/sequences.h"
#include "api/store.h"
#include "proxy/base/log.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

/// Where a sequence may come from. All but the store may be missing.
struct SequenceSources {
  SequenceStore* store = nullptr;
  Oeis* oeis = nullptr;  // null: never asked (`oeis off`)
  std::string oeisdata;  // folder; empty: none
  std::shared_ptr<net::WorkerLane>
      lane;  // for parsing, encoding and files; shared as Loop makes it
};

class SequenceFlight;
class FlightEvents {
 public:
  virtual ~FlightEvents() = default;
  /// The terms are known; the name perhaps not, then this comes a second time or never.
  virtual void on_encoded(SequenceFlight& flight,
                          std::shared_ptr<const EncodedSequence> encoded) = 0;
  /// The database has got an entry of oeisdata.
  virtual void on_entry_stored() = 0;
  /// The end. `reason`: what to tell those who still wait. `missing`: OEIS knows no such sequence.
  virtual void on_landed(SequenceFlight& flight, const SequenceAnswer& reason, bool missing) = 0;
};

/// Obtains one sequence, for however many wait for it: from the store, else from OEIS (and stores
/// it), else its first terms from oeisdata (which are stored too, apart). Every step has its own
/// deadline. Owned by SequenceService; destroying it drops the work.
///
///   Reading -> Entry -> Local -> Keeping -> Fetching -> Making -> Landed
///      |                  |         |          `-> Making (of an entry's terms) -> Landed
///      `------------------`---------`-> Making (of stored terms) -> Naming -> Renaming -> Landed
/// Entry asks the database for what it has of oeisdata, Local the tree for what is newer, Keeping
/// stores that: what is answered is always what the database then has. Naming only when the name is
/// unknown after all that, and OEIS may be asked. Any -> Landed.
class SequenceFlight {
 public:
  SequenceFlight(SequenceId id, const SequenceSources& sources, Log& log, FlightEvents& events);
  /// Never calls back from inside.
  void start();
  SequenceId id() const { return id_; }

 private:
  enum class State {
    Idle,
    Reading,
    Entry,
    Local,
    Keeping,
    Fetching,
    Making,
    Naming,
    Renaming,
    Landed
  };

  void on_stored(Result<StoredSequence> stored);
  void on_entry(Result<std::optional<SeqEntry>> entry);
  void read_local();
  void on_local(Result<std::optional<SeqEntry>> newer);
  void on_kept(Result<std::optional<SeqEntry>> entry);
  void after_local();
  void on_bfile(OeisAnswer answer);
  void use_local(SequenceAnswer otherwise, bool missing);
  void make(State state, Ingredients ingredients);
  void on_made(MadeSequence made);
  void obtain_name();
  void on_record(OeisAnswer answer);
  void on_renamed(MadeSequence made);
  void land(const SequenceAnswer& reason, bool missing = false);
  Refusal name_unknown() const;

  // Constant after construction
  const SequenceId id_;
  const SequenceSources sources_;
  Log& log_;
  FlightEvents& events_;

  State state_ = State::Idle;
  std::optional<Sequence> stored_;   // terms from the database
  std::optional<SeqEntry> local_;    // the stored entry of oeisdata: its name, its first terms
  std::optional<std::string> name_;  // the best known so far
  bool fetched_ = false;             // the terms being made came from OEIS just now: store them
  std::shared_ptr<const Sequence> sequence_;  // what was made
  // The work under way; those of past states stay until the end.
  std::unique_ptr<SequenceStore::Job> job_;
  std::unique_ptr<Oeis::Fetch> bfile_, record_;
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;
};

}  // namespace gatescope::api
