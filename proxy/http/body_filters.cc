#include "proxy/http/body_filters.h"

#include <algorithm>

namespace gatescope::http {

Result<Flow> BodyFilters::pass(SharedBytes bytes) {
  flow_ = Flow::GoOn;
  if (auto fed = feed(0, std::move(bytes)); !fed) return fed.error();
  return state();
}

Result<Flow> BodyFilters::advance() {
  flow_ = Flow::GoOn;
  // From the end: what a later filter holds was there first.
  for (std::size_t i = filters_.size(); i-- > 0 && flow_ == Flow::GoOn;)
    if (auto worked = work_off(i); !worked) return worked.error();
  return state();
}

Result<Flow> BodyFilters::flush() {
  for (std::size_t i = 0; i < filters_.size(); ++i) {
    ByteQueue out;
    if (auto flushed = filters_[i]->flush(out); !flushed) return flushed.error();
    if (auto sent = forward(i, out); !sent) return sent.error();
  }
  return state();
}

Result<Flow> BodyFilters::finish() {
  flow_ = Flow::GoOn;
  for (; finished_ < filters_.size(); ++finished_) {
    for (std::size_t i = filters_.size(); i-- > finished_;)
      if (auto worked = work_off(i); !worked) return worked.error();
    if (backlog()) return Flow::Wait;
    ByteQueue out;
    if (auto finished = filters_[finished_]->finish(out); !finished) return finished.error();
    if (auto sent = forward(finished_, out); !sent) return sent.error();
  }
  return backlog() ? Flow::Wait : Flow::GoOn;
}

Result<void> BodyFilters::feed(std::size_t filter, SharedBytes bytes) {
  if (filter == filters_.size()) {
    flow_ = sink_.on_filtered(std::move(bytes));
    return {};
  }
  ByteQueue out;
  if (auto passed = filters_[filter]->pass(std::move(bytes), out); !passed) return passed;
  if (auto sent = forward(filter, out); !sent) return sent;
  return work_off(filter);
}

Result<void> BodyFilters::forward(std::size_t from, ByteQueue& out) {
  while (!out.empty())
    if (auto fed = feed(from + 1, out.pop_front()); !fed) return fed;
  return {};
}

/// As far as the sink takes it.
Result<void> BodyFilters::work_off(std::size_t filter) {
  while (flow_ == Flow::GoOn && filters_[filter]->backlog()) {
    ByteQueue out;
    if (auto advanced = filters_[filter]->advance(out); !advanced) return advanced;
    if (auto sent = forward(filter, out); !sent) return sent;
  }
  return {};
}

bool BodyFilters::backlog() const {
  return std::any_of(filters_.begin(), filters_.end(), [](const auto& f) { return f->backlog(); });
}

}  // namespace gatescope::http
