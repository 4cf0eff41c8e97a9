#include "proxy/ops/history.h"

#include <numeric>

namespace gatescope::ops {

namespace {

double seconds_between(MonoTime from, MonoTime to) {
  return std::chrono::duration<double>(to - from).count();
}

HistoryPoint point_between(const Totals& from, const Totals& to) {
  HistoryPoint point;
  point.at = std::chrono::floor<std::chrono::seconds>(to.at.time_since_epoch()).count();
  point.seconds = static_cast<float>(seconds_between(from.now, to.now));
  for (std::size_t i = 0; i < point.responses.size(); ++i)
    point.responses[i] = static_cast<std::uint32_t>(to.responses[i] - from.responses[i]);
  auto times = to.times;
  times -= from.times;
  point.p50 = static_cast<float>(times.percentile(0.5));
  point.p90 = static_cast<float>(times.percentile(0.9));
  point.p99 = static_cast<float>(times.percentile(0.99));
  point.received = to.received - from.received;
  point.sent = to.sent - from.sent;
  point.file_hits = static_cast<std::uint32_t>(to.file_hits - from.file_hits);
  point.file_misses = static_cast<std::uint32_t>(to.file_misses - from.file_misses);
  point.api_hits = static_cast<std::uint32_t>(to.api_hits - from.api_hits);
  point.api_misses = static_cast<std::uint32_t>(to.api_misses - from.api_misses);
  point.connections = to.connections;
  point.active_requests = to.active_requests;
  point.memory = to.memory;
  return point;
}

}  // namespace

std::uint64_t HistoryPoint::requests() const {
  return std::accumulate(responses.begin(), responses.end(), std::uint64_t{0});
}

std::uint64_t History::Window::requests() const {
  return std::accumulate(responses.begin(), responses.end(), std::uint64_t{0});
}

double History::Window::per_second() const {
  return seconds > 0 ? static_cast<double>(requests()) / seconds : 0;
}

void History::add(const Totals& totals) {
  if (!begun_) {
    begun_ = true;
    last_ = coarse_from_ = totals;
    marks_.push_back(totals);
    return;
  }
  if (totals.now <= last_.now) return;
  fine_.add(point_between(last_, totals));
  last_ = totals;
  if (totals.now - coarse_from_.now >= kCoarseStep) {
    coarse_.add(point_between(coarse_from_, totals));
    coarse_from_ = totals;
  }
  if (totals.now - marks_.back().now < kMarkStep) return;
  if (marks_.size() == kMarks) marks_.erase(marks_.begin());
  marks_.push_back(totals);
}

History::Window History::last(Duration window) const {
  Window found;
  if (!begun_) return found;
  // The youngest mark that is at least so old, else the oldest.
  const Totals* from = &marks_.front();
  for (const auto& mark : marks_)
    if (last_.now - mark.now >= window) from = &mark;
  found.seconds = seconds_between(from->now, last_.now);
  for (std::size_t i = 0; i < found.responses.size(); ++i)
    found.responses[i] = last_.responses[i] - from->responses[i];
  found.received = last_.received - from->received;
  found.sent = last_.sent - from->sent;
  found.times = last_.times;
  found.times -= from->times;
  return found;
}

}  // namespace gatescope::ops
