#pragma once

// What obtains answers, and who is told.

#include <memory>
#include <string>

#include "api/answer.h"
#include "api/claims.h"
#include "api/completion_store.h"
#include "api/factoring.h"
#include "api/oeis.h"
#include "api/search.h"
#include "api/sequences.h"
#include "api/store.h"
#include "proxy/base/log.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

/// Where answers may come from. All but the store and the lane may be missing.
struct SequenceSources {
  SequenceStore* store = nullptr;
  Oeis* oeis = nullptr;  // null: never asked (`oeis off`)
  std::string oeisdata;  // folder; empty: none
  std::shared_ptr<net::WorkerLane>
      lane;                          // for parsing, encoding and files; shared as Loop makes it
  Claims* claims = nullptr;          // null: we are alone
  Searching* searching = nullptr;    // null: searches are Unavailable
  Factoring* factoring = nullptr;    // null: what is not stored stays unknown
  Completing* completing = nullptr;  // null: nothing is obtained before it is asked for
};

/// Of one question to the store. Who waits gives up after 5 s; a database that takes longer than
/// this is as good as down.
inline constexpr Duration kStoreDeadline{4000};

/// How a flight ended.
struct Landing {
  /// What those who still wait are told.
  Answer reason;
  bool missing = false;        // OEIS knows no such sequence: `reason` is a Refusal
  bool no_bfile = false;       // it has no b-file, but first terms are known
  std::size_t waited_for = 0;  // what `best` lacks of so many factors was waited for in vain
  /// What they get instead, though it is less than they wanted; null: nothing.
  std::shared_ptr<const EncodedAnswer> best;
};

class FlightEvents {
 public:
  virtual ~FlightEvents() = default;
  /// An answer; a better one may follow. `sequence`: what an answer about values was made of.
  virtual void on_answer(std::shared_ptr<const EncodedAnswer> answer,
                         std::shared_ptr<const Sequence> sequence) = 0;
  /// The database has got an entry of oeisdata.
  virtual void on_entry_stored() = 0;
  /// The end; nothing follows.
  virtual void on_landed(const AnswerKey& key, const Landing& landing) = 0;
};

/// Obtains the answer to one key, for however many wait for it. Every step has a deadline of its
/// own. Owned by SequenceService; destroying it drops the work.
class Flight {
 public:
  virtual ~Flight() = default;
  /// Never calls back from inside, nor do the others.
  virtual void start() = 0;
  /// Somebody wants so many entries; before start() or after it.
  virtual void want(Count count) { (void)count; }
  /// Another gatescope stored something of this sequence.
  virtual void on_changed() {}
};

}  // namespace gatescope::api
