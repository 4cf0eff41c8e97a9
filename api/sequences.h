#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "api/answer.h"
#include "api/bfile.h"
#include "api/sequence_id.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

/// Not now: the database or a queue; the client is told when to come again.
struct Unavailable {
  std::string detail;        // for the log
  unsigned retry_after = 5;  // seconds
};
/// Not so many at the same time: the client waits for as many sequences as one may.
struct TooMany {
  unsigned retry_after = 1;  // seconds
};
using SequenceAnswer =
    std::variant<std::shared_ptr<const EncodedSequence>, Refusal, Unavailable, TooMany>;

/// What must be known for an answer: with Terms a placeholder may stand for the name.
enum class Need { Terms, TermsAndName };

class SequenceWaiter {
 public:
  virtual ~SequenceWaiter() = default;
  /// Once. The Request may be destroyed inside.
  virtual void on_sequence(const SequenceAnswer& answer) = 0;
};

/// Whoever knows sequences, as a handler sees it on one loop: the service itself on loop 0, on
/// other loops something that posts the question there.
class Sequences {
 public:
  /// Somebody waits; destroying it means that he has gone. The work goes on: others will ask.
  class Request {
   public:
    virtual ~Request() = default;
  };
  virtual ~Sequences() = default;
  /// What is known at once; nullopt: ask().
  virtual std::optional<SequenceAnswer> find(SequenceId id, Need need) = 0;
  /// The waiter is told once, not from inside, within the request's deadline. `client`: the address
  /// that he asks from; empty: nobody whose requests are to be counted.
  virtual std::unique_ptr<Request> ask(SequenceId id, Need need, const std::string& client,
                                       SequenceWaiter& waiter) = 0;
};

/// The same for each loop.
class SequencesByLoop {
 public:
  virtual ~SequencesByLoop() = default;
  virtual Sequences& on(net::Loop& loop) = 0;
};

}  // namespace gatescope::api
