#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/base/stats.h"
#include "proxy/http/handler.h"
#include "proxy/ops/status_report.h"

namespace gatescope::ops {

enum class MetricsFormat { Prometheus, OpenMetrics };  // text 0.0.4; 1.0.0

/// The name that a scraper sees: "gatescope_http_requests_total",
/// "gatescope_http_sent_bytes_total", "process_resident_memory_bytes".
std::string metric_name(const Sample& sample);
/// `samples` by family, as Stats::samples() has them.
std::string exposition(const std::vector<Sample>& samples, MetricsFormat format);

/// `metrics;`. `report` outlives it.
std::unique_ptr<http::Handler> make_metrics(const StatusReport& report);

}  // namespace gatescope::ops
