#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "api/sequence_id.h"

namespace gatescope::api {

/// Who waits for an answer of OEIS. A background question waits for its turn: OEIS gets those at
/// least ten seconds apart, and a user's question goes before.
enum class Urgency { User, Background };

/// Why OEIS gave nothing.
struct OeisFailure {
  enum class Kind {
    NotFound,  // OEIS knows no such sequence
    Refused,   // it answered, but not with what was asked for
    Silent,    // it did not answer: unreachable, timed out, cut off
    Resting,   // it was not asked: it said that this is too much, or too many wait already
  };
  Kind kind;
  std::string text;          // for the client: begins with "Error: "
  std::string detail;        // for the log
  unsigned retry_after = 0;  // with Resting: seconds until it is asked again
};
using OeisAnswer = std::variant<std::string, OeisFailure>;  // the body

/// oeis.org as the service sees it. All on the loop's thread.
class Oeis {
 public:
  /// A question under way; destroying it drops the answer.
  class Fetch {
   public:
    virtual ~Fetch() = default;
  };
  using Done = std::function<void(OeisAnswer)>;

  virtual ~Oeis() = default;
  /// The b-file, whole. `done` once, never from inside; it may destroy the Fetch.
  virtual std::unique_ptr<Fetch> fetch_bfile(SequenceId id, Urgency urgency, Done done) = 0;
  /// The answer of the search for id:A000040, JSON; parse_search() reads it.
  virtual std::unique_ptr<Fetch> fetch_record(SequenceId id, Urgency urgency, Done done) = 0;
  /// The answer of a search, for somebody who waits; JSON, as above. `term` as the user typed it.
  virtual std::unique_ptr<Fetch> search(std::string term, Done done) = 0;
};

}  // namespace gatescope::api
