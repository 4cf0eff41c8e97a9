#include "api/factors_flight.h"

#include <algorithm>
#include <utility>

#include "api/encode.h"

namespace gatescope::api {

namespace {

constexpr Duration kWorkerBusy{50};

}  // namespace

FactorsFlight::FactorsFlight(SequenceId id, SequenceSources sources, net::Loop& loop,
                             SequenceObtainer& obtainer, FlightEvents& events)
    : id_(id),
      sources_(std::move(sources)),
      loop_(loop),
      obtainer_(obtainer),
      events_(events),
      began_(loop.clock().now()),
      timer_(loop.make_timer(*this)) {}

void FactorsFlight::start() {
  state_ = State::Reading;
  job_ = sources_.store->load(
      id_, kStoreDeadline, [this](Result<StoredSequence> stored) { on_stored(std::move(stored)); });
}

void FactorsFlight::want(Count count) {
  if (state_ == State::Working) return begin(count.of(terms_->size()));
  wanted_.push_back(count);
}

void FactorsFlight::on_stored(Result<StoredSequence> stored) {
  if (!stored) return land({.reason = Unavailable{stored.error().detail}});
  if (!stored->terms || stored->terms->empty() || !stored->name) {
    state_ = State::Obtaining;
    if (stored->factors) factors_ = std::make_shared<const Terms>(*std::move(stored->factors));
    obtaining_ =
        obtainer_.obtain(id_, [this](Obtained obtained) { on_obtained(std::move(obtained)); });
    return;
  }
  if (stored->factors) factors_ = std::make_shared<const Terms>(*std::move(stored->factors));
  work(std::make_shared<const Sequence>(Sequence{.id = id_,
                                                 .name = std::move(stored->name),
                                                 .shift = stored->shift,
                                                 .terms = *std::move(stored->terms)}));
}

void FactorsFlight::on_obtained(Obtained obtained) {
  if (auto* reason = std::get_if<Answer>(&obtained)) return land({.reason = std::move(*reason)});
  work(std::get<0>(std::move(obtained)));
}

void FactorsFlight::work(std::shared_ptr<const Sequence> sequence) {
  state_ = State::Working;
  sequence_ = std::move(sequence);
  terms_ = {sequence_, &sequence_->terms};
  known_ = known_prefix(factors_.get());
  for (const Count count : std::exchange(wanted_, {}))
    begin(count.of(terms_->size()));
}

void FactorsFlight::begin(std::size_t count) {
  for (const auto& known : working_)
    if (known.count == count && known.request) return;
  if (count <= known_ || sources_.factoring == nullptr) return encode();
  const Duration spent = std::chrono::duration_cast<Duration>(loop_.clock().now() - began_);
  const Duration left = std::max(kDeadline - spent, Duration(0));
  ++open_;
  waited_for_ = std::max(waited_for_, count);
  working_.push_back(
      {count, sources_.factoring->factor({.id = id_, .terms = terms_, .stored = factors_}, count,
                                         left, [this, count](std::shared_ptr<const Terms> factors) {
                                           on_factors(count, std::move(factors));
                                         })});
}

void FactorsFlight::on_factors(std::size_t count, std::shared_ptr<const Terms> factors) {
  for (auto& done : working_)
    if (done.count == count) loop_.discard(std::move(done.request));  // below us on the stack
  std::erase_if(working_, [count](const Working& done) { return done.count == count; });
  --open_;
  factors_ = std::move(factors);
  known_ = known_prefix(factors_.get());
  encode();
}

void FactorsFlight::encode() {
  if (ticket_) {
    encode_again_ = true;
    return;
  }
  encode_again_ = false;
  auto made = std::make_shared<std::shared_ptr<const EncodedAnswer>>();
  auto ticket = sources_.lane->submit(
      [sequence = sequence_, factors = factors_, made](unsigned) {
        *made = encode_factors(sequence, factors ? *factors : Terms());
      },
      [this, made] { on_encoded(std::move(*made)); });
  if (!ticket) return timer_->start(kWorkerBusy);
  ticket_ = std::move(*ticket);
}

void FactorsFlight::on_encoded(std::shared_ptr<const EncodedAnswer> answer) {
  loop_.discard(std::move(ticket_));
  events_.on_answer(answer, nullptr);  // those who wait for no more than that have it now
  if (encode_again_) return encode();
  if (open_ > 0) return;
  land({.reason = Unavailable{"a waiter was forgotten"},
        .waited_for = waited_for_,
        .best = std::move(answer)});
}

void FactorsFlight::land(Landing landing) {
  state_ = State::Landed;
  events_.on_landed({Topic::Factors, id_, {}}, landing);
}

}  // namespace gatescope::api
