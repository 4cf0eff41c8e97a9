// StatusReport as JSON. Every field is said in doc/administration.md, "Seeing".

#include <cmath>
#include <nlohmann/json.hpp>

#include "proxy/ops/status_report.h"

namespace gatescope::ops {

namespace {

using Json = nlohmann::ordered_json;
using Days = std::chrono::duration<std::int64_t, std::ratio<86400>>;

constexpr Duration kMinute{60'000}, kFiveMinutes{5 * 60'000};

std::int64_t seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

/// Two digits behind the point: nobody reads more, and charts are a third of the bytes.
double short_number(double value) {
  return std::round(value * 100) / 100;
}

std::string_view word_of(ServerFacts::State state) {
  switch (state) {
    case ServerFacts::State::Starting:
      return "starting";
    case ServerFacts::State::Serving:
      return "serving";
    case ServerFacts::State::Draining:
      return "draining";
  }
  return "serving";
}

Json by_label(const StatValues& values, std::string_view name, std::string_view label) {
  Json object = Json::object();
  for (const auto& sample : values.of(name))
    for (const auto& [key, value] : sample.labels)
      if (key == label) object[value] = object.value(value, std::int64_t{0}) + sample.value;
  return object;
}

Json window_json(const History::Window& window) {
  const double seconds = std::max(window.seconds, 1e-3);
  return {{"seconds", short_number(window.seconds)},
          {"requests", window.requests()},
          {"requests_per_second", short_number(window.per_second())},
          {"errors", window.responses[5]},
          {"p50_ms", short_number(window.times.percentile(0.5))},
          {"p90_ms", short_number(window.times.percentile(0.9))},
          {"p99_ms", short_number(window.times.percentile(0.99))},
          {"received_per_second", std::llround(static_cast<double>(window.received) / seconds)},
          {"sent_per_second", std::llround(static_cast<double>(window.sent) / seconds)}};
}

/// Null: nothing was looked for yet.
Json hit_rate(std::int64_t hits, std::int64_t misses) {
  if (hits + misses == 0) return nullptr;
  return short_number(static_cast<double>(hits) / static_cast<double>(hits + misses));
}

Json cache_json(const StatValues& values, const std::string& name) {
  const auto hits = values.sum(name + "_hits"), misses = values.sum(name + "_misses");
  return {{"hits", hits}, {"misses", misses}, {"hit_rate", hit_rate(hits, misses)}};
}

Json reload_json(const ServerFacts& facts) {
  Json reload = {{"count", facts.reloads}, {"failed", facts.failed_reloads}, {"last", nullptr}};
  if (facts.last_reload)
    reload["last"] = {{"at", seconds_of(facts.last_reload->at)},
                      {"good", facts.last_reload->good},
                      {"error", facts.last_reload->error}};
  return reload;
}

Json certificates_json(const ServerFacts& facts, WallTime now) {
  Json list = Json::array();
  for (const auto& one : facts.certificates)
    list.push_back({{"names", one.names},
                    {"source", one.source},
                    {"key", one.key},
                    {"issuer", one.issuer},
                    {"not_before", seconds_of(one.not_before)},
                    {"not_after", seconds_of(one.not_after)},
                    {"days_left", std::chrono::floor<Days>(one.not_after - now).count()},
                    {"temporary", one.temporary},
                    {"problem", one.problem}});
  return list;
}

Json upstreams_json(const ServerFacts& facts, const StatValues& values) {
  Json list = Json::array();
  for (const auto& group : facts.upstreams)
    list.push_back({{"name", group.name},
                    {"servers", group.servers},
                    {"usable", group.usable},
                    {"active", group.active},
                    {"requests", values.sum("upstream_requests", "upstream", group.name)},
                    {"failures", values.sum("upstream_failures", "upstream", group.name)}});
  return list;
}

/// Null: the configuration has no numberscope block.
Json database_json(const StatValues& values) {
  if (values.sum("api_served") == 0) return nullptr;
  return {{"up", values.sum("database_up") != 0},
          {"embedded", values.has("embedded_postgres_state")},
          {"jobs", values.sum("database_jobs")},
          {"done", values.sum("database_jobs_done")},
          {"failures", values.sum("database_failures")}};
}

Json oeis_json(const StatValues& values, WallTime now) {
  if (values.sum("oeis_asked") == 0) return nullptr;
  const auto until = values.sum("oeis_resting_until");
  const auto* breaker = until == 0 ? "closed" : until > seconds_of(now) ? "open" : "half open";
  return {{"breaker", breaker},
          {"open_until", until > seconds_of(now) ? Json(until) : Json(nullptr)},
          {"requests", values.sum("oeis_requests")},
          {"failures", values.sum("oeis_failures")},
          {"refusals", values.sum("oeis_refusals")},
          {"waiting", values.sum("oeis_waiting")}};
}

Json factoring_json(const StatValues& values) {
  if (values.sum("api_served") == 0) return nullptr;
  return {{"workers", values.sum("api_factor_workers")},
          {"busy", values.sum("api_factor_workers_busy")},
          {"sequences", values.sum("api_factor_sequences")},
          {"numbers", values.sum("api_factor_numbers")},
          {"done", values.sum("api_numbers_factored")},
          {"died", values.sum("api_factor_workers_died")}};
}

Json status_json(const StatusView& view, const StatValues& values, const History& history) {
  const auto& facts = view.facts;
  const auto waiting = values.sum("connections_waiting");
  const auto handshaking = values.sum("connections_handshaking");
  Json json;
  json["healthy"] = view.problems.empty();
  json["problems"] = view.problems;
  json["version"] = facts.version;
  json["commit"] = facts.commit;
  json["pid"] = facts.pid;
  json["state"] = word_of(facts.state);
  json["now"] = seconds_of(view.at);
  json["started"] = seconds_of(facts.started);
  json["uptime"] = std::chrono::floor<std::chrono::seconds>(view.now - facts.started_mono).count();
  json["configuration"] = facts.configuration;
  json["generation"] = facts.generation;
  json["loops"] = facts.loops;
  json["reloads"] = reload_json(facts);
  json["connections"] = {{"active", values.sum("connections_active")},
                         {"waiting", waiting},
                         {"handshaking", handshaking},
                         {"most", facts.most_connections},
                         {"accepted", values.sum("connections_accepted")}};
  json["requests"] = {{"total", values.sum("http_requests")},
                      {"active", values.sum("http_requests_active")},
                      {"by_class", by_label(values, "http_responses", "class")},
                      {"by_handler", by_label(values, "http_responses", "handler")},
                      {"by_version", by_label(values, "http_requests", "version")}};
  json["last_minute"] = window_json(history.last(kMinute));
  json["last_five_minutes"] = window_json(history.last(kFiveMinutes));
  json["bytes"] = {{"received", values.sum("http_received")}, {"sent", values.sum("http_sent")}};
  json["tls"] = {{"full", values.sum("tls_handshakes", "result", "full")},
                 {"resumed", values.sum("tls_handshakes", "result", "resumed")},
                 {"failed", values.sum("tls_handshakes", "result", "failed")}};
  json["file_cache"] = cache_json(values, "file_cache");
  json["file_cache"]["memory"] = values.sum("file_cache_memory");
  json["file_cache"]["files"] = values.sum("file_cache_entries");
  json["api_cache"] =
      values.sum("api_served") == 0 ? Json(nullptr) : cache_json(values, "api_cache");
  json["database"] = database_json(values);
  json["oeis"] = oeis_json(values, view.at);
  json["factoring"] = factoring_json(values);
  json["upstreams"] = upstreams_json(facts, values);
  json["certificates"] = certificates_json(facts, view.at);
  json["log_lines_lost"] = values.sum("log_lines_lost");
  json["memory"] = {{"resident", values.sum("process_resident_memory")}};
  return json;
}

/// By columns: names are said once.
Json points_json(const std::vector<HistoryPoint>& points, std::uint64_t after) {
  constexpr std::array<const char*, 6> kClasses{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  Json columns;
  columns["last"] = points.empty() ? after : points.back().number;
  for (const auto* name : {"at", "seconds"})
    columns[name] = Json::array();
  for (const auto* name : kClasses)
    columns[name] = Json::array();
  for (const auto* name :
       {"p50_ms", "p90_ms", "p99_ms", "received", "sent", "file_hits", "file_misses", "api_hits",
        "api_misses", "connections", "active_requests", "memory"})
    columns[name] = Json::array();
  for (const auto& p : points) {
    columns["at"].push_back(p.at);
    columns["seconds"].push_back(short_number(p.seconds));
    for (std::size_t i = 0; i < kClasses.size(); ++i)
      columns[kClasses[i]].push_back(p.responses[i]);
    columns["p50_ms"].push_back(short_number(p.p50));
    columns["p90_ms"].push_back(short_number(p.p90));
    columns["p99_ms"].push_back(short_number(p.p99));
    columns["received"].push_back(p.received);
    columns["sent"].push_back(p.sent);
    columns["file_hits"].push_back(p.file_hits);
    columns["file_misses"].push_back(p.file_misses);
    columns["api_hits"].push_back(p.api_hits);
    columns["api_misses"].push_back(p.api_misses);
    columns["connections"].push_back(p.connections);
    columns["active_requests"].push_back(p.active_requests);
    columns["memory"].push_back(p.memory);
  }
  return columns;
}

/// A path or a name may hold any bytes.
std::string written(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string StatusReport::json() const {
  const StatValues values(stats_.samples());
  const std::lock_guard lock(mutex_);
  return written(status_json(view_, values, history_));
}

std::string StatusReport::json_with_history(std::uint64_t fine_after,
                                            std::uint64_t coarse_after) const {
  const StatValues values(stats_.samples());
  const std::lock_guard lock(mutex_);
  auto json = status_json(view_, values, history_);
  json["history"] = {{"seconds", points_json(history_.fine(fine_after), fine_after)},
                     {"minutes", points_json(history_.coarse(coarse_after), coarse_after)}};
  return written(json);
}

}  // namespace gatescope::ops
