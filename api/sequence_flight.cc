#include "api/sequence_flight.h"

#include <fmt/format.h>

#include <utility>

#include "api/oeisdata.h"

namespace gatescope::api {

namespace {

// Who waits gives up after 5 s; a database that takes longer than this is as good as down.
constexpr Duration kStoreDeadline{4000};

}  // namespace

SequenceFlight::SequenceFlight(SequenceId id, const SequenceSources& sources, Log& log,
                               FlightEvents& events)
    : id_(id), sources_(sources), log_(log), events_(events) {}

void SequenceFlight::start() {
  state_ = State::Reading;
  job_ = sources_.store->load(
      id_, kStoreDeadline, [this](Result<StoredSequence> stored) { on_stored(std::move(stored)); });
}

void SequenceFlight::on_stored(Result<StoredSequence> stored) {
  if (!stored) return land(Unavailable{stored.error().detail});
  name_ = std::move(stored->name);
  if (stored->terms && !stored->terms->empty()) {
    stored_ = Sequence{.id = id_, .shift = stored->shift, .terms = std::move(*stored->terms)};
  }
  if (stored_ && name_) return after_local();
  state_ = State::Entry;
  job_ =
      sources_.store->load_entry(id_, kStoreDeadline, [this](auto e) { on_entry(std::move(e)); });
}

void SequenceFlight::on_entry(Result<std::optional<SeqEntry>> entry) {
  if (!entry) return land(Unavailable{entry.error().detail});
  local_ = std::move(*entry);
  read_local();
}

void SequenceFlight::read_local() {
  if (sources_.oeisdata.empty()) return after_local();
  state_ = State::Local;
  auto result = std::make_shared<Result<std::optional<SeqEntry>>>(std::optional<SeqEntry>());
  std::optional<FileStamp> known;
  if (local_) known = local_->file;
  auto ticket = sources_.lane->submit([folder = sources_.oeisdata, id = id_, known, result](
                                          unsigned) { *result = read_oeisdata(folder, id, known); },
                                      [this, result] { on_local(std::move(*result)); });
  if (!ticket) return land(Unavailable{ticket.error().detail});
  ticket_ = std::move(*ticket);
}

void SequenceFlight::on_local(Result<std::optional<SeqEntry>> newer) {
  if (!newer) log_.print(LogLevel::Error, "oeisdata: {}", newer.error().detail);  // without it
  if (!newer || !*newer) return after_local();
  state_ = State::Keeping;
  job_ = sources_.store->save_entry(std::make_shared<const SeqEntry>(std::move(**newer)),
                                    kStoreDeadline, [this](auto e) { on_kept(std::move(e)); });
}

void SequenceFlight::on_kept(Result<std::optional<SeqEntry>> entry) {
  // Not answered from the file instead: it would be forgotten, and asked for again by the next.
  if (!entry) return land(Unavailable{entry.error().detail});
  events_.on_entry_stored();
  local_ = std::move(*entry);
  after_local();
}

void SequenceFlight::after_local() {
  if (!name_ && local_ && !local_->name.empty()) name_ = local_->name;
  if (stored_) {
    auto sequence = std::make_shared<const Sequence>(std::move(*stored_));
    return make(State::Making, {.id = id_, .terms = std::move(sequence), .name = name_});
  }
  if (sources_.oeis == nullptr) {
    return use_local(Refusal{fmt::format("Error: Values for ID '{}' are not stored here, and OEIS "
                                         "is not asked.",
                                         id_.text())},
                     false);
  }
  state_ = State::Fetching;
  bfile_ = sources_.oeis->fetch_bfile(id_, Urgency::User,
                                      [this](OeisAnswer answer) { on_bfile(std::move(answer)); });
}

void SequenceFlight::on_bfile(OeisAnswer answer) {
  if (auto* failure = std::get_if<OeisFailure>(&answer)) {
    return use_local(Refusal{failure->text}, failure->kind == OeisFailure::Kind::NotFound);
  }
  fetched_ = true;
  make(State::Making,
       {.id = id_, .terms = std::get<std::string>(std::move(answer)), .name = name_});
}

void SequenceFlight::use_local(SequenceAnswer otherwise, bool missing) {
  if (!local_ || local_->terms.empty()) return land(otherwise, missing);
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
  if (!made.sequence) return use_local(Refusal{made.refusal}, false);
  sequence_ = std::move(made.sequence);
  if (fetched_) sources_.store->save(sequence_);
  const bool stored_name = sequence_->name && !fetched_ && sequence_->has_all_terms();
  if (stored_name && local_ && *sequence_->name == local_->name)
    sources_.store->save_name(id_, *sequence_->name);  // the row had a placeholder
  events_.on_encoded(*this, std::move(made.encoded));
  if (sequence_->name) return land(Unavailable{"a waiter was forgotten"});
  obtain_name();
}

void SequenceFlight::obtain_name() {
  if (sources_.oeis == nullptr) return land(name_unknown());
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
  events_.on_encoded(*this, std::move(made.encoded));
  land(Unavailable{"a waiter was forgotten"});
}

void SequenceFlight::land(const SequenceAnswer& reason, bool missing) {
  state_ = State::Landed;
  events_.on_landed(*this, reason, missing);
}

Refusal SequenceFlight::name_unknown() const {
  return {fmt::format("Error: The name of ID '{}' is not known.", id_.text())};
}

}  // namespace gatescope::api
