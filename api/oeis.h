#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "api/sequence_id.h"

namespace gatescope::api {

/// Why OEIS gave nothing.
struct OeisFailure {
  enum class Kind {
    NotFound,  // OEIS knows no such sequence
    Refused,   // it answered, but not with what was asked for
    Silent,    // it did not answer: unreachable, timed out, cut off
  };
  Kind kind;
  std::string text;    // for the client: begins with "Error: "
  std::string detail;  // for the log
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
  virtual std::unique_ptr<Fetch> fetch_bfile(SequenceId id, Done done) = 0;
  /// The answer of the search for id:A000040, JSON; parse_record() reads it.
  virtual std::unique_ptr<Fetch> fetch_record(SequenceId id, Done done) = 0;
};

}  // namespace gatescope::api
