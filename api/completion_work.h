#pragma once

#include <memory>
#include <optional>

#include "api/changes.h"
#include "api/claims.h"
#include "api/completion_store.h"
#include "api/factoring.h"
#include "api/metadata.h"
#include "api/oeis.h"
#include "api/store.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

/// What completion works with. All but the stores and the lane may be missing.
struct CompletionSources {
  SequenceStore* store = nullptr;
  CompletionStore* list = nullptr;
  std::shared_ptr<net::WorkerLane> lane;  // parses; shared as Loop makes it
  Oeis* oeis = nullptr;                   // null: never asked
  Claims* claims = nullptr;               // null: we are alone
  Factoring* factoring = nullptr;
  ChangeEvents* changes = nullptr;  // told when more of a sequence is stored
};

/// How it ended for one sequence.
struct CompletionEnd {
  enum class Kind {
    Completed,  // once and for all: nothing more can be had
    Partial,    // what was missing cannot be had with this configuration
    Elsewhere,  // another gatescope is at it
    Failed,     // OEIS did not answer, or not well
    Resting,    // OEIS is not to be asked, for `seconds`
    Database,   // it is away
  };
  Kind kind;
  unsigned seconds = 0;
};

class CompletionWork;
class CompletionEvents {
 public:
  virtual ~CompletionEvents() = default;
  /// The work may be handed to the Loop's bin inside, not deleted.
  virtual void on_end(CompletionWork& work, CompletionEnd end) = 0;
};

/// Obtains what is missing of one sequence: all its terms, its name, its cross references, its
/// factors. Owned by Completion; destroying it drops the work.
///   Noting -> Claiming -> Reading -> Describing -> (Fetching -> Parsing) -> (Recording) -> Ended
class CompletionWork {
 public:
  CompletionWork(SequenceId id, const CompletionSources& sources, CompletionEvents& events)
      : id_(id), sources_(sources), events_(events) {}
  /// Never calls back from inside.
  void start();
  SequenceId id() const { return id_; }

 private:
  void on_noted(Result<bool> wanted);
  void on_claim(Result<std::unique_ptr<Claim>> claim);
  void read();
  void on_stored(Result<StoredSequence> stored);
  void on_metadata(Result<std::optional<Metadata>> metadata);
  void fetch();
  void on_bfile(OeisAnswer answer);
  void on_parsed(std::shared_ptr<const Sequence> sequence);
  void describe();
  void on_record(OeisAnswer answer);
  void factor(std::shared_ptr<const Terms> terms, std::shared_ptr<const Terms> factors);
  void fail(const OeisFailure& failure);
  void end(CompletionEnd::Kind kind, unsigned seconds = 0);

  // Constant after construction
  const SequenceId id_;
  const CompletionSources sources_;
  CompletionEvents& events_;

  std::unique_ptr<Claim> claim_;  // null: without
  bool has_terms_ = false, has_name_ = false, has_xrefs_ = false;
  bool changed_ = false;  // something was stored
  // The work under way; those of past steps stay until the end.
  std::unique_ptr<SequenceStore::Job> noting_, claiming_, reading_, describing_;
  std::unique_ptr<Oeis::Fetch> bfile_, record_;
  std::unique_ptr<net::WorkerLane::Ticket> parsing_;
};

}  // namespace gatescope::api
