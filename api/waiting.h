#pragma once

#include <functional>
#include <memory>
#include <variant>

#include "api/answer.h"
#include "api/sequences.h"

namespace gatescope::api {

/// Somebody who waits for a flight: a client, or another flight.
class Waiting {
 public:
  virtual ~Waiting() = default;
  virtual const AnswerKey& key() const = 0;
  /// Whether this is what he waits for.
  virtual bool content_with(const EncodedAnswer& answer) const = 0;
  // One of the two, once; it may destroy him.
  virtual void on_encoded(const std::shared_ptr<const EncodedAnswer>& answer,
                          const std::shared_ptr<const Sequence>& sequence) = 0;
  virtual void on_reason(const Answer& reason) = 0;
};

/// A sequence, or why there is none.
using Obtained = std::variant<std::shared_ptr<const Sequence>, Answer>;

/// Gets a flight the terms that it works with.
class SequenceObtainer {
 public:
  class Job {
   public:
    virtual ~Job() = default;  // drops the answer
  };
  virtual ~SequenceObtainer() = default;
  /// `done` once, never from inside; it may destroy the Job.
  virtual std::unique_ptr<Job> obtain(SequenceId id, std::function<void(Obtained)> done) = 0;
};

}  // namespace gatescope::api
