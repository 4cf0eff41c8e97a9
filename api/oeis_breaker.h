#pragma once

#include <optional>
#include <string_view>

#include "proxy/base/clock.h"

namespace gatescope::api {

struct OeisBreakerSettings {
  Duration first{2 * 60'000};            // OEIS says "Come back in a few minutes."
  Duration longest{3'600'000};           // it doubles up to this while OEIS goes on refusing
  Duration longest_told{24 * 3600'000};  // of a Retry-After, which may be nonsense
};

/// Whether OEIS may be asked: not for a while after it said that it was too much. Then one question
/// at a time, until one is answered. A value, owned by OeisClient.
///   Closed -> Resting -> Probing -> Closed, Probing -> Resting (twice as long)
class OeisBreaker {
 public:
  explicit OeisBreaker(OeisBreakerSettings settings) : settings_(settings) {}

  /// Seconds that OEIS is to be left alone, rounded up; 0: it may be asked.
  unsigned resting(MonoTime now) const;
  /// False: it refused the last time; one question is enough to find out.
  bool proven() const { return !until_; }
  /// It refused. `told`: what its Retry-After says. Several who were refused at the same time count
  /// once.
  void on_refusal(MonoTime now, std::optional<Duration> told);
  /// It answered, with whatever else. True: it had refused before.
  bool on_answer(MonoTime now);

 private:
  const OeisBreakerSettings settings_;
  std::optional<MonoTime> until_;  // none: Closed
  Duration next_{0};               // zero: settings_.first
};

/// Retry-After (RFC 9110 10.2.3): seconds or a date. At least a second; nullopt: neither.
std::optional<Duration> parse_retry_after(std::string_view value, WallTime now);

}  // namespace gatescope::api
