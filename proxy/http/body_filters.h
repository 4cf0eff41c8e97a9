#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "proxy/base/bytes.h"
#include "proxy/base/result.h"
#include "proxy/http/steps.h"

namespace gatescope::http {

/// Where filtered bytes go.
class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual Flow on_filtered(SharedBytes bytes) = 0;
};

/// The chain of filters that one response's body goes through. Owned by the Exchange; usually
/// empty. All functions answer Wait when the sink is full or a filter has a backlog; then advance()
/// is to be called when the sink takes more, until it answers GoOn. After an error nothing may be
/// called.
class BodyFilters {
 public:
  explicit BodyFilters(BodySink& sink) : sink_(sink) {}
  void add(std::unique_ptr<BodyFilter> filter) { filters_.push_back(std::move(filter)); }
  void clear() { filters_.clear(); }
  bool empty() const { return filters_.empty(); }

  Result<Flow> pass(SharedBytes bytes);
  Result<Flow> advance();
  Result<Flow> flush();
  /// GoOn: every byte is with the sink. Wait: call finish() again when the sink takes more.
  Result<Flow> finish();

 private:
  Result<void> feed(std::size_t filter, SharedBytes bytes);
  Result<void> forward(std::size_t from, ByteQueue& out);
  Result<void> work_off(std::size_t filter);
  bool backlog() const;
  Flow state() const { return flow_ == Flow::Wait || backlog() ? Flow::Wait : Flow::GoOn; }

  BodySink& sink_;
  std::vector<std::unique_ptr<BodyFilter>> filters_;
  Flow flow_ = Flow::GoOn;    // what the sink said last
  std::size_t finished_ = 0;  // so many filters have seen finish()
};

}  // namespace gatescope::http
