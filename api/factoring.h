#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "api/sequence.h"
#include "api/sequence_id.h"
#include "proxy/base/clock.h"

namespace gatescope::api {

/// What stands for a number that is not factored yet. A number above 2^512 never is: that is
/// kNoFactors, and final.
inline constexpr std::string_view kNoFactorsYet = "no_fac_yet";
inline constexpr std::string_view kNoFactors = "no_fac";

/// How many terms' factors are known, from the first on. `factors` null: none.
std::size_t known_prefix(const Terms* factors);

/// Factors the terms of sequences: the strings of the old service, so that its rows and ours mix
/// ("[2,2;3,1]"). On loop 0's thread; whoever calls must outlive his Requests only.
class Factoring {
 public:
  /// Somebody waits; destroying it means that he has gone. The work goes on: others will ask.
  class Request {
   public:
    virtual ~Request() = default;
  };
  /// `factors` has exactly as many entries as the job's terms; one that is not known is
  /// kNoFactorsYet. Complete when none is.
  using Done = std::function<void(std::shared_ptr<const Terms> factors)>;

  struct Job {
    SequenceId id;
    std::shared_ptr<const Terms> terms;   // whoever waits and the workers share it
    std::shared_ptr<const Terms> stored;  // what is known; null: nothing; shorter: a prefix
  };

  virtual ~Factoring() = default;
  /// `done` once, never from inside: when the first `count` terms are factored (or cannot be), or
  /// `within` has passed. It may destroy the Request. The rest goes on in the background.
  virtual std::unique_ptr<Request> factor(Job job, std::size_t count, Duration within,
                                          Done done) = 0;
  /// Nobody waits.
  virtual void factor_in_background(Job job) = 0;
};

/// Factoring in this gatescope, which knows what it still works on.
class LocalFactoring : public Factoring {
 public:
  virtual bool works_on(SequenceId id) const = 0;
};

/// Told of results by whoever implements Factoring.
class FactorEvents {
 public:
  virtual ~FactorEvents() = default;
  /// All that is known of this sequence by now: to be stored, and to be answered from now on. At
  /// most once a second for each sequence, and once when nothing more will come for now. Never from
  /// inside a call of Factoring. `terms` are those that were asked for.
  virtual void on_factored(SequenceId id, std::shared_ptr<const Terms> terms,
                           std::shared_ptr<const Terms> factors) = 0;
};

}  // namespace gatescope::api
