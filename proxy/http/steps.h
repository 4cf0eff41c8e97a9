#pragma once

#include "proxy/base/bytes.h"
#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace gatescope::http {

class Exchange;

/// What a step of a phase decided.
enum class StepResult {
  Next,       // go on with the next step
  EndPhase,   // `break`: skip the rest of this phase
  Answered,   // writer().status/answer/redirect was called
  Restart,    // the path changed: find the location again (bounded as internal redirects)
  Suspended,  // goes on later by Exchange::resume() (auth_delay, limit_req)
};

/// What a step leaves with a request: what it waits for (Exchange::wait), or what the request holds
/// until it is over (Exchange::hold). Destroying it cancels the wait, or gives back.
class StepState {
 public:
  virtual ~StepState() = default;
};

/// One step of a phase (server rewrite, rewrite, access, precontent), made by a module for a
/// location: return, if, set, try_files, allow. Immutable, shared by all requests.
class RequestStep {
 public:
  virtual ~RequestStep() = default;
  virtual StepResult run(Exchange& exchange) const = 0;
};

/// Where a filter stands. A response goes through the stages in this order, as through nginx's
/// filters: what a later stage sees, an earlier one has made.
enum class FilterStage {
  Conditions,  // If-Match, If-None-Match and their family: of what the handler has
  Fields,      // expires, add_header, add_trailer
  Gunzip,      // for clients that do not take what is encoded
  Charset,     // recoding
  Encode,      // gzip, br
  Range,       // of what is sent in the end
};

/// Changes response heads on their way out: add_header, expires, Access-Control-Allow-Origin ...
/// One that has to change the body too adds a BodyFilter (Exchange::add_body_filter). Immutable,
/// made by a module for a location, shared by all requests.
class HeadFilter {
 public:
  virtual ~HeadFilter() = default;
  virtual FilterStage stage() const { return FilterStage::Fields; }
  virtual void apply(Exchange& exchange, ResponseHead& head) const = 0;
  /// At the end of the body: what is sent behind it, where the client and the framing allow.
  virtual void add_trailers(Exchange& exchange, HeaderList& trailers) const {
    (void)exchange;
    (void)trailers;
  }
};

/// Changes the body of one response. Owned by the Exchange, which feeds it in order: pass(),
/// advance() and flush() any number of times, then finish() once. A filter that changes the length
/// resets ResponseHead::content_length in the HeadFilter that adds it. An error is logged, and the
/// client sees a cut.
class BodyFilter {
 public:
  virtual ~BodyFilter() = default;
  /// Appends to `out` what may leave now. May keep bytes back: those that flush() or finish() need,
  /// within a bound, and those that backlog() speaks of.
  virtual Result<void> pass(SharedBytes bytes, ByteQueue& out) = 0;
  /// The source pauses: what was held back to be packed better leaves now.
  virtual Result<void> flush(ByteQueue& out) {
    (void)out;
    return {};
  }
  /// Not before backlog() is false.
  virtual Result<void> finish(ByteQueue& out) = 0;
  /// For a filter whose output is much larger than its input: there is more to come of what was
  /// passed. The source is held back, and advance() is called as the client takes it.
  virtual bool backlog() const { return false; }
  virtual Result<void> advance(ByteQueue& out) {
    (void)out;
    return {};
  }
};

}  // namespace gatescope::http
