#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "api/answer_form.h"
#include "api/bfile.h"
#include "api/question.h"
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
using Answer = std::variant<std::shared_ptr<const AnswerForm>, Refusal, Unavailable, TooMany>;

class AnswerWaiter {
 public:
  virtual ~AnswerWaiter() = default;
  /// Once. The Request may be destroyed inside.
  virtual void on_answer(const Answer& answer) = 0;
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
  virtual std::optional<Answer> find(const Question& question) = 0;
  /// The waiter is told once, not from inside, within the question's deadline. `client`: the
  /// address that he asks from; empty: nobody whose requests are to be counted.
  virtual std::unique_ptr<Request> ask(const Question& question, const std::string& client,
                                       AnswerWaiter& waiter) = 0;
};

/// The same for each loop.
class SequencesByLoop {
 public:
  virtual ~SequencesByLoop() = default;
  virtual Sequences& on(net::Loop& loop) = 0;
};

}  // namespace gatescope::api
