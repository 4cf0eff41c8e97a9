#include "proxy/ops/metrics.h"

#include <cctype>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>

#include "tests/support/catch.h"

using namespace gatescope;
using namespace gatescope::ops;

namespace {

struct Read {
  std::map<std::string, std::string> types;                 // by family
  std::map<std::string, std::string> help;                  // by family
  std::map<std::pair<std::string, Labels>, double> values;  // by name and labels
  bool ended = false;                                       // # EOF
};

/// Prometheus' text format, strictly: what is not in its grammar throws.
class ExpositionReader {
 public:
  Read read(const std::string& text) {
    if (text.empty() || text.back() != '\n') throw std::runtime_error("no line feed at the end");
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (read_.ended) fail(line, "something behind # EOF");
      if (line == "# EOF") {
        read_.ended = true;
      } else if (line.starts_with("# HELP ")) {
        const auto [name, rest] = split(line.substr(7));
        family_ = name;
        if (!read_.help.emplace(name, unescaped(rest)).second) fail(line, "HELP twice");
      } else if (line.starts_with("# TYPE ")) {
        const auto [name, rest] = split(line.substr(7));
        if (name != family_) fail(line, "TYPE of another family than HELP");
        if (rest != "counter" && rest != "gauge" && rest != "histogram") fail(line, "type");
        read_.types[name] = rest;
      } else {
        sample(line);
      }
    }
    return read_;
  }

 private:
  [[noreturn]] static void fail(const std::string& line, const std::string& why) {
    throw std::runtime_error(why + ": " + line);
  }
  static std::pair<std::string, std::string> split(const std::string& text) {
    const auto blank = text.find(' ');
    if (blank == std::string::npos) fail(text, "no blank");
    return {text.substr(0, blank), text.substr(blank + 1)};
  }
  static std::string unescaped(const std::string& text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\\') {
        result += text[i];
        continue;
      }
      if (++i == text.size()) fail(text, "escape at the end");
      if (text[i] == 'n') {
        result += '\n';
      } else if (text[i] == '\\' || text[i] == '"') {
        result += text[i];
      } else {
        fail(text, "unknown escape");
      }
    }
    return result;
  }

  std::string name(const std::string& line, std::size_t& at) {
    const auto begin = at;
    const auto fits = [&](char c) {
      return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == ':' ||
             (at > begin && std::isdigit(static_cast<unsigned char>(c)));
    };
    while (at < line.size() && fits(line[at]))
      ++at;
    if (at == begin) fail(line, "no name");
    return line.substr(begin, at - begin);
  }

  void sample(const std::string& line) {
    std::size_t at = 0;
    const auto metric = name(line, at);
    Labels labels;
    if (at < line.size() && line[at] == '{') {
      do {
        ++at;
        auto label = name(line, at);
        if (line.compare(at, 2, "=\"") != 0) fail(line, "no =\"");
        at += 2;
        const auto begin = at;
        while (at < line.size() && line[at] != '"')
          at += line[at] == '\\' ? 2 : 1;
        if (at >= line.size()) fail(line, "no end of a value");
        labels.emplace_back(std::move(label), unescaped(line.substr(begin, at - begin)));
        ++at;
      } while (at < line.size() && line[at] == ',');
      if (at >= line.size() || line[at] != '}') fail(line, "no }");
      ++at;
    }
    if (at >= line.size() || line[at] != ' ') fail(line, "no blank before the value");
    std::size_t used = 0;
    const auto rest = line.substr(at + 1);
    const double value = std::stod(rest, &used);
    if (used != rest.size()) fail(line, "something behind the value");
    if (!metric.starts_with(family_)) fail(line, "sample outside of its family");
    if (!read_.values.emplace(std::pair(metric, labels), value).second) fail(line, "sample twice");
  }

  Read read_;
  std::string family_;
};

Read parsed(const Stats& stats, MetricsFormat format = MetricsFormat::Prometheus) {
  return ExpositionReader().read(exposition(stats.samples(), format));
}

}  // namespace

TEST_CASE("names say what is counted, in which unit, and that it only grows") {
  const auto name = [](std::string_view name, std::string_view unit, StatKind kind) {
    return metric_name({.name = std::string(name), .unit = std::string(unit), .kind = kind});
  };
  CHECK(name("http_requests", "requests", StatKind::Counter) == "gatescope_http_requests_total");
  CHECK(name("http_sent", "bytes", StatKind::Counter) == "gatescope_http_sent_bytes_total");
  CHECK(name("connections_active", "connections", StatKind::Gauge) ==
        "gatescope_connections_active");
  CHECK(name("http_request_duration", "seconds", StatKind::Histogram) ==
        "gatescope_http_request_duration_seconds");
  CHECK(name("process_resident_memory", "bytes", StatKind::Gauge) ==
        "process_resident_memory_bytes");
  CHECK(name("process_start_time", "timestamp", StatKind::Gauge) == "process_start_time_seconds");
  CHECK(name("certificate_not_after", "timestamp", StatKind::Gauge) ==
        "gatescope_certificate_not_after_timestamp_seconds");
}

TEST_CASE("what is written can be read back, labels with whatever is in them") {
  Stats stats;
  const std::string nasty = "a \"name\" with \\ and\na line, {braces}=1";
  stats.gauge("days", "days", "Help with \\ and\na line.", {{"name", nasty}}).set(-3);
  stats.counter("answers", "answers", "All.", {{"class", "5xx"}, {"by", "api"}}).add(12);
  stats.counter("answers", "answers", "All.", {{"class", "2xx"}, {"by", "api"}}).add(1);
  stats.counter("plain", "things", "Without labels.").add(7);
  const auto read = parsed(stats);
  CHECK(read.types.at("gatescope_days") == "gauge");
  CHECK(read.help.at("gatescope_days") == "Help with \\ and\na line.");
  CHECK(read.values.at({"gatescope_days", {{"name", nasty}}}) == -3);
  CHECK(read.types.at("gatescope_answers_total") == "counter");
  CHECK(read.values.at({"gatescope_answers_total", {{"class", "5xx"}, {"by", "api"}}}) == 12);
  CHECK(read.values.at({"gatescope_plain_total", {}}) == 7);
  CHECK(read.values.size() == 4);
  CHECK_FALSE(read.ended);
}

TEST_CASE("a histogram has rising buckets that end with all, a sum and a count") {
  Stats stats;
  TimeHistogram one, other;
  stats.add_part("took", "seconds", "How long.", {{"by", "api"}}, one);
  stats.add_part("took", "seconds", "How long.", {{"by", "api"}}, other);
  for (const std::uint64_t time : {0, 3, 3, 70, 2500})
    one.add(time);
  other.add(999'999'999);
  const auto read = parsed(stats);
  CHECK(read.types.at("gatescope_took_seconds") == "histogram");
  const auto bucket = [&](const std::string& le) {
    return read.values.at({"gatescope_took_seconds_bucket", {{"by", "api"}, {"le", le}}});
  };
  CHECK(bucket("0.001") == 1);
  CHECK(bucket("0.002") == 1);
  CHECK(bucket("0.005") == 3);
  CHECK(bucket("0.1") == 4);
  CHECK(bucket("2") == 4);
  CHECK(bucket("5") == 5);
  CHECK(bucket("100") == 5);
  CHECK(bucket("+Inf") == 6);
  CHECK(read.values.at({"gatescope_took_seconds_count", {{"by", "api"}}}) == 6);
  CHECK(read.values.at({"gatescope_took_seconds_sum", {{"by", "api"}}}) ==
        Approx(1'000'002.575).epsilon(1e-9));
}

TEST_CASE("OpenMetrics names families without _total, has points in borders, and an end") {
  Stats stats;
  stats.counter("plain", "things", "A \"quoted\" word.").add(7);
  TimeHistogram times;
  stats.add_part("took", "seconds", "", {}, times);
  const auto text = exposition(stats.samples(), MetricsFormat::OpenMetrics);
  CHECK(text.find("# TYPE gatescope_plain counter\ngatescope_plain_total 7\n") !=
        std::string::npos);
  CHECK(text.find("le=\"1.0\"") != std::string::npos);
  CHECK(text.find("le=\"1\"") == std::string::npos);
  CHECK(text.ends_with("# EOF\n"));
  CHECK(ExpositionReader().read(text).ended);
}
