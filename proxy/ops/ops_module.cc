#include "proxy/ops/ops_module.h"

#include "proxy/ops/health.h"
#include "proxy/ops/local_only.h"
#include "proxy/ops/metrics.h"
#include "proxy/ops/status_page.h"
#include "proxy/ops/stub_status.h"

namespace gatescope::ops {

Result<std::unique_ptr<http::Handler>> OpsModule::make(const conf::Scope& location) {
  const auto& settings = location.get<OpsSettings>();
  switch (settings.shown) {
    case Shown::StubStatus:
      return make_stub_status(totals_);
    case Shown::Metrics:
      return make_metrics(report_);
    case Shown::HealthLive:
      return make_health(report_, {.ready = false});
    case Shown::HealthReady:
      return make_health(report_, {.needs_database = settings.needs_database});
    case Shown::StatusPage:
      return make_status_page(report_);
  }
  return make_stub_status(totals_);
}

Result<void> OpsModule::contribute(const conf::Scope& scope, http::Location& location,
                                   http::VariableTable&) {
  if (location.core->handler_maker == this && !says_who_may_come(scope))
    location.access.push_back(make_local_only_step(location.core->handler_set_by->name));
  return {};
}

}  // namespace gatescope::ops
