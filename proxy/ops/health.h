#pragma once

#include <memory>

#include "proxy/http/handler.h"
#include "proxy/ops/status_report.h"

namespace gatescope::ops {

struct HealthQuestion {
  bool ready = true;  // false: only whether the loop turns
  bool needs_database = false;
};

/// `health;`: 200 or 503 with the reasons, as text or, where Accept names it, as JSON. `report`
/// outlives it.
std::unique_ptr<http::Handler> make_health(const StatusReport& report, HealthQuestion question);

}  // namespace gatescope::ops
