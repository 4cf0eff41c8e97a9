#include "api/search_flight.h"

#include <utility>

#include "api/encode.h"

namespace gatescope::api {

void SearchFlight::start() {
  request_ = searching_.search(loop_, key_.term,
                               [this](SearchAnswer answer) { on_found(std::move(answer)); });
}

void SearchFlight::on_found(SearchAnswer answer) {
  Landing landing{.reason = Unavailable{"a waiter was forgotten"}};
  if (auto* unavailable = std::get_if<Unavailable>(&answer)) {
    landing.reason = std::move(*unavailable);
  } else {
    // Ten lines: encoded here, that takes less than the way to a worker.
    const auto* found = std::get_if<std::vector<FoundSequence>>(&answer);
    events_.on_answer(
        found ? encode_search(key_.term, *found) : encode_search(key_.term, {}, false), nullptr);
  }
  events_.on_landed(key_, landing);
}

}  // namespace gatescope::api
