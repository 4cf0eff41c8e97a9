#include "api/factor_sequence.h"

#include <functional>
#include <utility>

#include "api/factor_number.h"

namespace gatescope::api {

namespace {

constexpr std::size_t kSmallDigits = 19;  // surely below 2^64

}  // namespace

// By measuring: the worst of 20 digits take 0.2 ms, of 25 2 ms, of 30 5 ms, of 35 14 ms, of 40 40
// ms.
unsigned FactorEffort::weight(std::size_t digits) {
  if (digits <= kSmallDigits) return 1;
  if (digits <= 25) return 8;
  if (digits <= 30) return 16;
  if (digits <= 35) return 32;
  return kFullBatch;
}

FactorSequence::FactorSequence(Factoring::Job job)
    : id_(job.id),
      terms_(std::move(job.terms)),
      known_(terms_->size()),
      states_(terms_->size(), State::Settled),
      passes_(terms_->size(), 0) {
  // Counted by digits, so that the order costs no comparing: a row may have 100,000.
  std::array<std::vector<std::uint32_t>, kLargestFactored.size() + 1> longer;
  for (std::uint32_t i = 0; i < terms_->size(); ++i) {
    const std::string_view stored =
        job.stored && i < job.stored->size() ? (*job.stored)[i] : std::string_view();
    NumberText number;
    if (!stored.empty() && stored != kNoFactorsYet) {
      know(i, stored);
    } else if (!parse_number(term(i), number) || is_above(number.digits, kLargestFactored)) {
      know(i, kNoFactors);
      news_ = true;
    } else {
      states_[i] = State::Open;
      ++unsettled_;
      if (number.digits.size() <= kSmallDigits) {
        small_.terms.push_back(i);
      } else {
        longer[number.digits.size()].push_back(i);
      }
    }
  }
  for (std::size_t digits = 0; digits < longer.size(); ++digits) {
    auto& queue = digits <= FactorEffort::kQuickDigits ? quick_ : hard_[0];
    queue.terms.insert(queue.terms.end(), longer[digits].begin(), longer[digits].end());
  }
  move_settled_until();
}

std::optional<std::uint32_t> FactorSequence::take(Queue& queue, std::size_t limit, unsigned pass) {
  const auto open = [&](std::uint32_t index) {
    return states_[index] == State::Open && passes_[index] == pass;
  };
  while (queue.begin < queue.terms.size() && !open(queue.terms[queue.begin]))
    ++queue.begin;
  for (std::size_t i = queue.begin; i < queue.terms.size(); ++i) {
    const std::uint32_t index = queue.terms[i];
    if (index >= limit || !open(index)) continue;
    states_[index] = State::Taken;
    return index;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> FactorSequence::take_quick(std::size_t limit) {
  if (const auto index = take(small_, limit, 0)) return index;
  return take(quick_, limit, 0);
}

std::optional<std::uint32_t> FactorSequence::take_hard(std::size_t limit, unsigned pass) {
  return take(hard_[pass], limit, pass);
}

void FactorSequence::put_back(std::uint32_t index) {
  states_[index] = State::Open;
  small_.begin = quick_.begin = 0;  // it lies before
  for (Queue& queue : hard_)
    queue.begin = 0;
}

void FactorSequence::put_off(std::uint32_t index) {
  if (++passes_[index] >= FactorEffort::kPasses) return give_up(index);
  hard_[passes_[index]].terms.push_back(index);
  put_back(index);
}

void FactorSequence::know(std::uint32_t index, std::string_view factors) {
  known_[index] = {static_cast<std::uint32_t>(text_.size()),
                   static_cast<std::uint32_t>(factors.size())};
  text_ += factors;
}

void FactorSequence::settle(std::uint32_t index, std::string_view factors) {
  know(index, factors);
  news_ = true;
  settled(index);
}

void FactorSequence::give_up(std::uint32_t index) {
  ++given_up_;
  settled(index);
}

void FactorSequence::settled(std::uint32_t index) {
  factors_.reset();
  states_[index] = State::Settled;
  --unsettled_;
  move_settled_until();
}

void FactorSequence::move_settled_until() {
  while (settled_until_ < states_.size() && states_[settled_until_] == State::Settled)
    ++settled_until_;
}

std::shared_ptr<const Terms> FactorSequence::factors() {
  if (factors_) return factors_;
  auto factors = std::make_shared<Terms>();
  factors->reserve(known_.size(), text_.size() + unsettled_ * kNoFactorsYet.size());
  for (const Term& term : known_)
    factors->add(term.size == 0 ? kNoFactorsYet
                                : std::string_view(text_).substr(term.begin, term.size));
  return factors_ = std::move(factors);
}

std::size_t FactorSequence::hash(const Terms& terms) {
  std::size_t result = terms.size();
  for (std::size_t i = 0; i < terms.size(); ++i)
    result = result * 31 + std::hash<std::string_view>()(terms[i]);
  return result;
}

}  // namespace gatescope::api
