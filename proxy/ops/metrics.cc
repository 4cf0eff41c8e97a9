#include "proxy/ops/metrics.h"

#include <fmt/format.h>

#include <iterator>

#include "proxy/ops/shown_text.h"

namespace gatescope::ops {

namespace {

constexpr std::string_view kPrometheusType = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kOpenMetricsType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

std::string labels_text(const Labels& labels, std::string_view le = {}) {
  if (labels.empty() && le.empty()) return {};
  std::string text = "{";
  for (const auto& [name, value] : labels) {
    if (text.size() > 1) text += ',';
    text += name;
    text += "=\"";
    append_escaped(text, value, true);
    text += '"';
  }
  if (!le.empty()) {
    if (text.size() > 1) text += ',';
    text += fmt::format("le=\"{}\"", le);
  }
  return text + "}";
}

/// Milliseconds as seconds: "0.005"; OpenMetrics wants a point in each ("1.0").
std::string border_text(std::uint64_t milliseconds, MetricsFormat format) {
  auto text = fmt::format("{}.{:03}", milliseconds / 1000, milliseconds % 1000);
  while (text.back() == '0')
    text.pop_back();
  if (text.back() == '.') {
    if (format == MetricsFormat::OpenMetrics) return text + "0";
    text.pop_back();
  }
  return text;
}

void append_histogram(std::string& out, const std::string& name, const Sample& sample,
                      MetricsFormat format) {
  const auto& times = *sample.times;
  const auto to = std::back_inserter(out);
  for (const auto border : kShownBorders)
    fmt::format_to(to, "{}_bucket{} {}\n", name,
                   labels_text(sample.labels, border_text(border, format)), times.below(border));
  fmt::format_to(to, "{}_bucket{} {}\n", name, labels_text(sample.labels, "+Inf"), times.count);
  const auto labels = labels_text(sample.labels);
  fmt::format_to(to, "{}_sum{} {}.{:03}\n", name, labels, times.sum / 1000, times.sum % 1000);
  fmt::format_to(to, "{}_count{} {}\n", name, labels, times.count);
}

/// What the family is called: OpenMetrics leaves out what only its samples carry.
std::string_view family_of(std::string_view name, MetricsFormat format) {
  if (format == MetricsFormat::OpenMetrics && name.ends_with("_total"))
    name.remove_suffix(std::string_view("_total").size());
  return name;
}

std::string_view type_of(StatKind kind) {
  switch (kind) {
    case StatKind::Counter:
      return "counter";
    case StatKind::Gauge:
      return "gauge";
    case StatKind::Histogram:
      return "histogram";
  }
  return "gauge";
}

class Metrics final : public http::Handler {
 public:
  explicit Metrics(const StatusReport& report) : report_(report) {}
  http::HandlerKind kind() const override { return http::HandlerKind::Ops; }
  std::unique_ptr<http::Responder> start(const http::Request& request,
                                         http::ResponseWriter& writer) const override {
    if (!may_be_shown(request, writer)) return nullptr;
    const bool open = accepts(request, "application/openmetrics-text");
    const auto format = open ? MetricsFormat::OpenMetrics : MetricsFormat::Prometheus;
    show_text(writer, 200, open ? kOpenMetricsType : kPrometheusType,
              exposition(report_.stats().samples(), format));
    return nullptr;
  }

 private:
  const StatusReport& report_;
};

}  // namespace

std::string metric_name(const Sample& sample) {
  const auto& unit = sample.unit;
  std::string_view suffix;
  if (unit == "bytes") suffix = "_bytes";
  if (unit == "seconds") suffix = "_seconds";
  if (unit == "timestamp")
    suffix = sample.name.ends_with("_time") ? "_seconds" : "_timestamp_seconds";
  // Those that Prometheus' own libraries write under a name that every dashboard knows.
  const bool common = sample.name.starts_with("process_");
  return fmt::format("{}{}{}{}", common ? "" : "gatescope_", sample.name, suffix,
                     sample.kind == StatKind::Counter ? "_total" : "");
}

std::string exposition(const std::vector<Sample>& samples, MetricsFormat format) {
  std::string out;
  std::string_view family;
  for (const auto& sample : samples) {
    const auto name = metric_name(sample);
    if (sample.name != family) {
      family = sample.name;
      out += fmt::format("# HELP {} ", family_of(name, format));
      append_escaped(out, sample.help, format == MetricsFormat::OpenMetrics);
      out += fmt::format("\n# TYPE {} {}\n", family_of(name, format), type_of(sample.kind));
    }
    if (sample.times) {
      append_histogram(out, name, sample, format);
    } else {
      out += fmt::format("{}{} {}\n", name, labels_text(sample.labels), sample.value);
    }
  }
  if (format == MetricsFormat::OpenMetrics) out += "# EOF\n";
  return out;
}

std::unique_ptr<http::Handler> make_metrics(const StatusReport& report) {
  return std::make_unique<Metrics>(report);
}

}  // namespace gatescope::ops
