#pragma once

#include <functional>
#include <memory>

#include "api/sequence_id.h"
#include "api/store.h"
#include "proxy/base/result.h"

namespace gatescope::api {

/// A right to work on something, ours while this lives: it is extended by itself. Destroying it
/// gives it back, when what the work stored is stored.
class Claim {
 public:
  virtual ~Claim() = default;
};

/// So that several gatescopes on one database do each piece of work once. On the loop's thread.
class Claims {
 public:
  enum class Kind { Values, Metadata, Factors, Background };
  /// Null: another gatescope works on it. What it stores is announced (ChangeEvents::on_changed);
  /// it may also fail, or die, and then a claim that is tried again is granted after a few seconds:
  /// so whoever waits asks again, once a second.
  using Done = std::function<void(Result<std::unique_ptr<Claim>>)>;

  virtual ~Claims() = default;
  /// `done` once, never from inside; it may destroy the Job. Destroying the Job drops the answer,
  /// and the claim if it is granted. Errors as of SequenceStore::load(): working without a claim
  /// does no harm but double work. Precondition: this gatescope holds no such claim.
  virtual std::unique_ptr<SequenceStore::Job> claim(SequenceId id, Kind kind, Done done) = 0;
};

}  // namespace gatescope::api
