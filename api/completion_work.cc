#include "api/completion_work.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "api/bfile.h"
#include "api/oeis_record.h"

namespace gatescope::api {

namespace {

// Nobody waits, but a database that takes longer has other things to do.
constexpr Duration kCompletionStoreDeadline{10'000};

}  // namespace

void CompletionWork::start() {
  noting_ = sources_.list->note(id_, kCompletionStoreDeadline,
                                [this](auto wanted) { on_noted(std::move(wanted)); });
}

void CompletionWork::on_noted(Result<bool> wanted) {
  if (!wanted) return end(CompletionEnd::Kind::Database);
  if (!*wanted) return end(CompletionEnd::Kind::Completed);
  if (sources_.claims == nullptr) return read();
  claiming_ = sources_.claims->claim(id_, Claims::Kind::Background,
                                     [this](auto claim) { on_claim(std::move(claim)); });
}

void CompletionWork::on_claim(Result<std::unique_ptr<Claim>> claim) {
  if (!claim) return end(CompletionEnd::Kind::Database);
  if (!*claim) return end(CompletionEnd::Kind::Elsewhere);
  claim_ = std::move(*claim);
  read();
}

void CompletionWork::read() {
  reading_ = sources_.store->load(id_, kCompletionStoreDeadline,
                                  [this](auto stored) { on_stored(std::move(stored)); });
}

void CompletionWork::on_stored(Result<StoredSequence> stored) {
  if (!stored) return end(CompletionEnd::Kind::Database);
  has_name_ = stored->name.has_value();
  if (stored->terms && !stored->terms->empty()) {
    has_terms_ = true;
    std::shared_ptr<const Terms> factors;
    if (stored->factors) factors = std::make_shared<const Terms>(std::move(*stored->factors));
    factor(std::make_shared<const Terms>(std::move(*stored->terms)), std::move(factors));
  }
  describing_ = sources_.store->load_metadata(
      id_, kCompletionStoreDeadline, [this](auto metadata) { on_metadata(std::move(metadata)); });
}

void CompletionWork::on_metadata(Result<std::optional<Metadata>> metadata) {
  if (!metadata) return end(CompletionEnd::Kind::Database);
  if (*metadata) {
    const Metadata& known = **metadata;
    has_name_ = has_name_ || known.name.has_value();
    // An entry without any has none; the old service found all references, or none at all.
    has_xrefs_ = known.imported || !known.xrefs.empty() || !known.backrefs.empty();
  }
  has_terms_ ? describe() : fetch();
}

void CompletionWork::fetch() {
  if (sources_.oeis == nullptr) return end(CompletionEnd::Kind::Partial);
  bfile_ = sources_.oeis->fetch_bfile(id_, Urgency::Background,
                                      [this](auto answer) { on_bfile(std::move(answer)); });
}

void CompletionWork::on_bfile(OeisAnswer answer) {
  if (const auto* failure = std::get_if<OeisFailure>(&answer)) return fail(*failure);
  auto parsed = std::make_shared<std::shared_ptr<const Sequence>>();  // null: refused
  auto ticket = sources_.lane->submit(
      [id = id_, text = std::get<std::string>(std::move(answer)), parsed](unsigned) {
        auto made = parse_bfile(id, text);
        if (auto* sequence = std::get_if<Sequence>(&made))
          *parsed = std::make_shared<const Sequence>(std::move(*sequence));
      },
      [this, parsed] { on_parsed(std::move(*parsed)); });
  if (!ticket) return end(CompletionEnd::Kind::Failed);
  parsing_ = std::move(*ticket);
}

void CompletionWork::on_parsed(std::shared_ptr<const Sequence> sequence) {
  if (sequence) {
    sources_.store->save(sequence);
    changed_ = true;
    factor({sequence, &sequence->terms}, nullptr);
  }
  describe();  // a number that is reserved has no terms, but a name
}

void CompletionWork::describe() {
  if (has_name_ && has_xrefs_) return end(CompletionEnd::Kind::Completed);
  if (sources_.oeis == nullptr) return end(CompletionEnd::Kind::Partial);
  record_ = sources_.oeis->fetch_record(id_, Urgency::Background,
                                        [this](auto answer) { on_record(std::move(answer)); });
}

void CompletionWork::on_record(OeisAnswer answer) {
  if (const auto* failure = std::get_if<OeisFailure>(&answer)) return fail(*failure);
  auto found = parse_search(std::get<std::string>(answer));
  if (!found) return end(CompletionEnd::Kind::Failed);
  const auto record = std::find_if(found->begin(), found->end(),
                                   [this](const OeisRecord& r) { return r.id == id_; });
  if (record != found->end()) {
    if (!has_name_) sources_.store->save_name(id_, std::move(record->name));
    if (!has_xrefs_ && !record->xrefs.empty())
      sources_.list->save_xrefs(id_, std::move(record->xrefs));
    changed_ = true;
  }
  end(CompletionEnd::Kind::Completed);
}

void CompletionWork::factor(std::shared_ptr<const Terms> terms,
                            std::shared_ptr<const Terms> factors) {
  if (sources_.factoring == nullptr || known_prefix(factors.get()) >= terms->size()) return;
  sources_.factoring->factor_in_background(
      {.id = id_, .terms = std::move(terms), .stored = std::move(factors)});
}

void CompletionWork::fail(const OeisFailure& failure) {
  switch (failure.kind) {
    case OeisFailure::Kind::NotFound:
      return end(CompletionEnd::Kind::Completed);
    case OeisFailure::Kind::Resting:
      return end(CompletionEnd::Kind::Resting, failure.retry_after);
    case OeisFailure::Kind::Refused:
    case OeisFailure::Kind::Silent:
      break;
  }
  end(failure.retry_after > 0 ? CompletionEnd::Kind::Resting : CompletionEnd::Kind::Failed,
      failure.retry_after);
}

void CompletionWork::end(CompletionEnd::Kind kind, unsigned seconds) {
  if (kind == CompletionEnd::Kind::Completed) sources_.list->note_completed(id_);
  claim_.reset();  // after what was stored
  if (changed_ && sources_.changes != nullptr) sources_.changes->on_changed(id_);
  events_.on_end(*this, {kind, seconds});
}

}  // namespace gatescope::api
