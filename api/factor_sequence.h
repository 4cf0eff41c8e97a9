#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/factoring.h"

namespace gatescope::api {

/// How a number is given to the workers. Quick ones, of up to 40 digits, never take more than some
/// 50 ms: several at a time. Hard ones may take for ever: singly, in three passes with a growing
/// limit, so that one of them never hides another that is merely long.
struct FactorEffort {
  static constexpr std::size_t kQuickDigits = 40;
  /// A batch of quick ones is full with this weight; it takes about 50 ms at most.
  static constexpr unsigned kFullBatch = 128;
  static unsigned weight(std::size_t digits);

  static constexpr unsigned kPasses = 3;
  /// Seconds of CPU that a number gets in a pass; the last one: all that the sequence has left.
  static constexpr std::array<unsigned, kPasses> kSeconds{3, 30, 1000};
};

/// One sequence being factored: what is known, and what is to be given to the workers, the hard
/// numbers last, by size. Knows no worker and no time. Owned by FactorService.
///
/// A term is Open -> Taken -> Settled (its factors are known, or it is given up); what was taken
/// may be put back.
class FactorSequence {
 public:
  explicit FactorSequence(Factoring::Job job);

  SequenceId id() const { return id_; }
  const std::shared_ptr<const Terms>& terms() const { return terms_; }
  std::string_view term(std::uint32_t index) const { return (*terms_)[index]; }

  /// All terms before this one are settled.
  std::size_t settled_until() const { return settled_until_; }
  bool finished() const { return unsettled_ == 0; }
  /// Finished, and nothing was given up.
  bool complete() const { return finished() && given_up_ == 0; }

  /// Something is known that the job did not bring.
  bool has_news() const { return news_; }

  /// The next quick one before `limit`, small ones first; nullopt: none is open.
  std::optional<std::uint32_t> take_quick(std::size_t limit);
  /// The smallest hard one before `limit` in this pass.
  std::optional<std::uint32_t> take_hard(std::size_t limit, unsigned pass);

  void settle(std::uint32_t index, std::string_view factors);
  void give_up(std::uint32_t index);
  /// Not done: as before.
  void put_back(std::uint32_t index);
  /// Not done in the time of its pass.
  void put_off(std::uint32_t index);

  /// What is known by now, as Factoring::Done wants it. The same object until something changes.
  std::shared_ptr<const Terms> factors();
  /// A fingerprint of the terms.
  static std::size_t hash(const Terms& terms);

 private:
  enum class State : std::uint8_t { Settled, Taken, Open };
  struct Term {
    std::uint32_t begin = 0, size = 0;  // of its factors in text_; size 0: not known
  };
  struct Queue {
    std::vector<std::uint32_t> terms;
    std::size_t begin = 0;  // none before is open
  };
  std::optional<std::uint32_t> take(Queue& queue, std::size_t limit, unsigned pass);
  void know(std::uint32_t index, std::string_view factors);
  void settled(std::uint32_t index);
  void move_settled_until();

  const SequenceId id_;
  const std::shared_ptr<const Terms> terms_;
  std::string text_;
  std::vector<Term> known_;
  std::vector<State> states_;
  std::vector<std::uint8_t> passes_;  // of each term
  std::size_t unsettled_ = 0, given_up_ = 0, settled_until_ = 0;
  bool news_ = false;
  Queue small_, quick_;  // below 2^64 in the order of the sequence; by digits
  std::array<Queue, FactorEffort::kPasses> hard_;  // by digits
  std::shared_ptr<const Terms> factors_;           // null: something changed
};

}  // namespace gatescope::api
