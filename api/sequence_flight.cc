#include "api/sequence_flight.h"

#include <fmt/format.h>

#include <utility>

namespace gatescope::api {

namespace {

/// How often one asks whether what another gatescope works on has come: it may have died.
constexpr Duration kAskAgain{1000};
/// So long at most: nobody who asked waits any more.
constexpr Duration kElsewhere{10'000};

}  // namespace

SequenceFlight::SequenceFlight(SequenceId id, SequenceSources sources, net::Loop& loop, Log& log,
                               FlightEvents& events)
    : id_(id),
      sources_(std::move(sources)),
      loop_(loop),
      events_(events),
      began_(loop.clock().now()),
      entry_(id, sources_, log, events),
      timer_(loop.make_timer(*this)) {}

void SequenceFlight::start() {
  read();
}

void SequenceFlight::read() {
  state_ = State::Reading;
  job_ = sources_.store->load(
      id_, kStoreDeadline, [this](Result<StoredSequence> stored) { on_stored(std::move(stored)); });
}

void SequenceFlight::on_stored(Result<StoredSequence> stored) {
  if (!stored) return land(Unavailable{stored.error().detail});
  if (stored->name) name_ = std::move(stored->name);
  if (stored->terms && !stored->terms->empty()) {
    stored_ = Sequence{.id = id_, .shift = stored->shift, .terms = std::move(*stored->terms)};
  }
  if (looked_ || (stored_ && name_)) return decide();
  state_ = State::Entry;
  entry_.start([this](auto entry) { on_entry(std::move(entry)); });
}

void SequenceFlight::on_entry(Result<std::optional<SeqEntry>> entry) {
  if (!entry) return land(Unavailable{entry.error().detail});
  looked_ = true;
  local_ = std::move(*entry);
  decide();
}

/// What is to be done with what is known by now.
void SequenceFlight::decide() {
  if (!name_ && local_ && !local_->name.empty()) name_ = local_->name;
  if (wants_name() && (name_ || !sequence_)) {
    auto terms = stored_ ? std::make_shared<const Sequence>(*std::exchange(stored_, std::nullopt))
                         : sequence_;
    return make(State::Making, {.id = id_, .terms = std::move(terms), .name = name_});
  }
  if (wants_name()) {
    if (sources_.oeis == nullptr) return land(name_unknown());
    return may_fetch_ ? fetch_name() : claim();
  }
  if (sources_.oeis == nullptr) {
    return use_local(
        Refusal{fmt::format("Error: Values for ID '{}' are not stored here, and OEIS "
                            "is not asked.",
                            id_.text())});
  }
  may_fetch_ ? fetch() : claim();
}

void SequenceFlight::claim() {
  may_fetch_ = true;
  if (sources_.claims == nullptr) return decide();
  state_ = State::Claiming;
  const auto kind = wants_name() ? Claims::Kind::Metadata : Claims::Kind::Values;
  job_ = sources_.claims->claim(id_, kind, [this](auto claim) { on_claim(std::move(claim)); });
}

void SequenceFlight::on_claim(Result<std::unique_ptr<Claim>> claim) {
  if (!claim) return decide();  // without one; double work does no harm
  if (!*claim) return wait_elsewhere();
  claim_ = std::move(*claim);
  read();
}

void SequenceFlight::wait_elsewhere() {
  may_fetch_ = false;
  if (loop_.clock().now() - began_ >= kElsewhere) {
    const Unavailable others{"another gatescope does not come to an end with it"};
    return wants_name() ? land(others) : use_local(others);
  }
  state_ = State::Elsewhere;
  timer_->start(kAskAgain);
}

void SequenceFlight::on_timer(net::Timer&) {
  read();
}

void SequenceFlight::on_changed() {
  if (state_ != State::Elsewhere) return;
  timer_->stop();
  read();
}

void SequenceFlight::fetch() {
  state_ = State::Fetching;
  bfile_ = sources_.oeis->fetch_bfile(id_, Urgency::User,
                                      [this](OeisAnswer answer) { on_bfile(std::move(answer)); });
}

void SequenceFlight::on_bfile(OeisAnswer answer) {
  if (auto* failure = std::get_if<OeisFailure>(&answer)) {
    no_bfile_ = failure->kind == OeisFailure::Kind::NotFound;
    return use_local(Refusal{failure->text}, no_bfile_);
  }
  fetched_ = true;
  make(State::Making,
       {.id = id_, .terms = std::get<std::string>(std::move(answer)), .name = name_});
}

void SequenceFlight::use_local(Answer otherwise, bool missing) {
  if (!local_ || local_->terms.empty()) return land(std::move(otherwise), missing);
  fetched_ = false;
  make(
      State::Making,
      {.id = id_, .terms = std::make_shared<const Sequence>(local_->first_terms()), .name = name_});
}

void SequenceFlight::make(State state, Ingredients ingredients) {
  state_ = state;
  // Shared with the worker, which must be able to finish when this flight is gone.
  struct Work {
    Ingredients ingredients;
    MadeSequence made;
  };
  auto work = std::make_shared<Work>(Work{std::move(ingredients), {}});
  auto ticket = sources_.lane->submit(
      [work](unsigned) { work->made = make_sequence(std::move(work->ingredients)); },
      [this, work] {
        if (state_ == State::Making)
          on_made(std::move(work->made));
        else
          on_renamed(std::move(work->made));
      });
  if (!ticket) return land(Unavailable{ticket.error().detail});
  ticket_ = std::move(*ticket);
}

void SequenceFlight::on_made(MadeSequence made) {
  if (!made.sequence) return use_local(Refusal{made.refusal});
  sequence_ = std::move(made.sequence);
  if (std::exchange(fetched_, false)) {
    sources_.store->save(sequence_);
  } else if (sequence_->name && local_ && *sequence_->name == local_->name &&
             sequence_->has_all_terms()) {
    sources_.store->save_name(id_, *sequence_->name);  // the row had a placeholder
  }
  may_fetch_ = false;
  claim_.reset();  // stored, as far as the store is concerned
  events_.on_answer(std::move(made.encoded), sequence_);
  if (sequence_->name) return land(Unavailable{"a waiter was forgotten"});
  decide();
}

void SequenceFlight::fetch_name() {
  state_ = State::Naming;
  record_ = sources_.oeis->fetch_record(
      id_, Urgency::User, [this](OeisAnswer answer) { on_record(std::move(answer)); });
}

void SequenceFlight::on_record(OeisAnswer answer) {
  if (auto* failure = std::get_if<OeisFailure>(&answer)) return land(Refusal{failure->text});
  make(State::Renaming,
       {.id = id_, .terms = sequence_, .record = std::get<std::string>(std::move(answer))});
}

void SequenceFlight::on_renamed(MadeSequence made) {
  if (!made.sequence || !made.sequence->name) return land(name_unknown());
  if (made.sequence->has_all_terms()) sources_.store->save_name(id_, *made.sequence->name);
  events_.on_answer(std::move(made.encoded), made.sequence);
  land(Unavailable{"a waiter was forgotten"});
}

void SequenceFlight::land(Answer reason, bool missing) {
  state_ = State::Landed;
  events_.on_landed({Topic::Values, id_, {}},
                    {.reason = std::move(reason), .missing = missing, .no_bfile = no_bfile_});
}

Refusal SequenceFlight::name_unknown() const {
  return {fmt::format("Error: The name of ID '{}' is not known.", id_.text())};
}

}  // namespace gatescope::api
