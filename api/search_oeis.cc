#include "api/search_oeis.h"

#include <algorithm>
#include <utility>

#include "api/oeis_record.h"

namespace gatescope::api {

namespace {

// Of the five seconds that somebody waits OEIS gets four.
constexpr Duration kOeisLookDeadline{800};
constexpr unsigned kComeAgain = 5;  // seconds

}  // namespace

void OeisSearch::start() {
  if (store_ == nullptr) return ask();
  job_ = store_->load_search(term_, kOeisLookDeadline,
                             [this](auto found) { on_stored(std::move(found)); });
}

void OeisSearch::on_stored(Result<std::optional<std::vector<FoundSequence>>> found) {
  if (found && *found) return finish(std::move(**found));
  if (oeis_ != nullptr) return ask();
  // `oeis off`: what is not stored cannot be known; a database that is down is another matter.
  if (!found) return finish(Unavailable{found.error().detail, kComeAgain});
  finish(std::vector<FoundSequence>());
}

void OeisSearch::ask() {
  fetch_ = oeis_->search(term_, [this](OeisAnswer answer) { on_answer(std::move(answer)); });
}

void OeisSearch::on_answer(OeisAnswer answer) {
  if (const auto* failure = std::get_if<OeisFailure>(&answer)) {
    return finish(
        Unavailable{failure->detail, failure->retry_after > 0 ? failure->retry_after : kComeAgain});
  }
  const auto records = parse_search(std::get<std::string>(answer));
  if (!records) return finish(Unavailable{records.error().detail, kComeAgain});
  std::vector<FoundSequence> found;
  for (const auto& record : *records)
    if (found.size() < SearchIndex::kMost) found.push_back({record.id, record.name});
  if (store_ != nullptr && !found.empty()) store_->save_search(term_, found);
  finish(std::move(found));
}

void OeisSearch::finish(SearchAnswer answer) {
  const Done done = std::move(done_);  // it may destroy this
  done(std::move(answer));
}

}  // namespace gatescope::api
