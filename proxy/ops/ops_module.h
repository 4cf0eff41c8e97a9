#pragma once

#include <memory>

#include "conf/schema.h"
#include "proxy/http/routing_builder.h"
#include "proxy/http/serving_stats.h"
#include "proxy/ops/ops_settings.h"
#include "proxy/ops/status_report.h"

namespace gatescope::ops {

/// stub_status, metrics, health and status_page: locations that show how the server fares. Owned by
/// Server, survives reloads; make() and contribute() on a worker thread, what they make on any
/// loop.
class OpsModule final : public http::HandlerMaker, public http::LocationPart {
 public:
  /// Both outlive the module, and every exchange.
  OpsModule(const StatusReport& report, const http::ServingTotals& totals)
      : report_(report), totals_(totals) {}

  void add_directives(conf::Schema& schema);
  Result<std::unique_ptr<http::Handler>> make(const conf::Scope& location) override;
  /// Who is not on this machine is refused, unless the location itself says who may come.
  Result<void> contribute(const conf::Scope& scope, http::Location& location,
                          http::VariableTable& variables) override;

 private:
  const StatusReport& report_;
  const http::ServingTotals& totals_;
};

}  // namespace gatescope::ops
