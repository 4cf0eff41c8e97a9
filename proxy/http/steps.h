#pragma once

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

/// One step of a phase (server rewrite, rewrite, access, precontent), made by a module for a
/// location: return, if, set, try_files, allow. Immutable, shared by all requests.
class RequestStep {
 public:
  virtual ~RequestStep() = default;
  virtual StepResult run(Exchange& exchange) const = 0;
};

/// Changes response heads on their way out: add_header, expires, Access-Control-Allow-Origin ...
class HeadFilter {
 public:
  virtual ~HeadFilter() = default;
  virtual void apply(Exchange& exchange, ResponseHead& head) const = 0;
};

}  // namespace gatescope::http
