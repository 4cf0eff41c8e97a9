#include "proxy/ops/status_report.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "proxy/base/time_words.h"
#include "proxy/base/unique_fd.h"

namespace gatescope::ops {

namespace {

// So long after the last line was lost it is a problem.
constexpr std::chrono::minutes kLossIsNews{15};
// What the sentence about errors looks at.
constexpr Duration kProblemWindow{5 * 60'000};

std::int64_t unix_seconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::uint64_t unsigned_of(std::int64_t value) {
  return value < 0 ? 0 : static_cast<std::uint64_t>(value);
}

Totals totals_of(const StatValues& values, MonoTime now, WallTime at) {
  constexpr std::array<std::string_view, 6> kClasses{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  Totals totals;
  totals.now = now;
  totals.at = at;
  for (std::size_t i = 0; i < kClasses.size(); ++i)
    totals.responses[i] = unsigned_of(values.sum("http_responses", "class", kClasses[i]));
  totals.received = unsigned_of(values.sum("http_received"));
  totals.sent = unsigned_of(values.sum("http_sent"));
  totals.file_hits = unsigned_of(values.sum("file_cache_hits"));
  totals.file_misses = unsigned_of(values.sum("file_cache_misses"));
  totals.api_hits = unsigned_of(values.sum("api_cache_hits"));
  totals.api_misses = unsigned_of(values.sum("api_cache_misses"));
  totals.times = values.times("http_request_duration");
  totals.connections = values.sum("connections_active");
  totals.active_requests = values.sum("http_requests_active");
  totals.memory = values.sum("process_resident_memory");
  return totals;
}

}  // namespace

std::int64_t resident_memory() {
  const UniqueFd file(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  char text[128];
  const auto size = file ? ::read(file.get(), text, sizeof text - 1) : -1;
  if (size <= 0) return 0;
  text[size] = '\0';
  long long all = 0, resident = 0;
  if (std::sscanf(text, "%lld %lld", &all, &resident) != 2) return 0;
  return resident * ::sysconf(_SC_PAGESIZE);
}

StatusReport::StatusReport(Stats& stats, const FactSource& facts, const Clock& clock)
    : stats_(stats),
      facts_(facts),
      clock_(clock),
      memory_(stats.gauge("process_resident_memory", "bytes",
                          "Memory of the serving process that is in RAM.")),
      started_(stats.gauge("process_start_time", "timestamp",
                           "When the serving process was started, as a Unix time in seconds.")),
      generation_(stats.gauge("generation", "",
                              "Number of the configuration that serves; grows with each reload.")),
      loops_(stats.gauge("loops", "", "Event loops that accept connections.")),
      reloads_good_(stats.counter("reloads", "reloads", "Reloads since the start, by result.",
                                  {{"result", "good"}})),
      reloads_failed_(stats.counter("reloads", "reloads", "Reloads since the start, by result.",
                                    {{"result", "failed"}})),
      last_reload_good_(stats.gauge("last_reload_successful", "",
                                    "1: the last reload went well, or there was none.")),
      last_reload_at_(stats.gauge("last_reload", "timestamp",
                                  "When the last reload ended, as a Unix time in seconds; 0: there "
                                  "was none.")),
      healthy_(stats.gauge("healthy", "", "1: the status page knows of no problem.")) {}

void StatusReport::show_in_stats(const ServerFacts& facts) {
  started_.set(unix_seconds(facts.started));
  generation_.set(static_cast<std::int64_t>(facts.generation));
  loops_.set(facts.loops);
  reloads_failed_.set(static_cast<std::int64_t>(facts.failed_reloads));
  reloads_good_.set(static_cast<std::int64_t>(facts.reloads - facts.failed_reloads));
  last_reload_good_.set(facts.last_reload && !facts.last_reload->good ? 0 : 1);
  last_reload_at_.set(facts.last_reload ? unix_seconds(facts.last_reload->at) : 0);
  std::vector<std::pair<Labels, std::int64_t>> servers, usable, active;
  for (const auto& group : facts.upstreams) {
    const Labels labels{{"upstream", group.name}};
    servers.emplace_back(labels, static_cast<std::int64_t>(group.servers));
    usable.emplace_back(labels, static_cast<std::int64_t>(group.usable));
    active.emplace_back(labels, static_cast<std::int64_t>(group.active));
  }
  stats_.replace("upstream_servers", "servers",
                 "Servers of an upstream group, without backups and those that are down by "
                 "configuration.",
                 servers);
  stats_.replace("upstream_servers_usable", "servers",
                 "... of them those that have not failed a moment ago and pass their checks.",
                 usable);
  stats_.replace("upstream_requests_active", "requests",
                 "Requests that wait for a server of an upstream group now.", active);
}

void StatusReport::note_losses(const StatValues& values) {
  const auto lost = values.sum("log_lines_lost");
  if (lost > lost_lines_) lost_at_ = view_.at;
  lost_lines_ = lost;
}

/// Of these values, so that a report never says that the database is down and all is well. Under
/// the lock, as look().
std::vector<std::string> StatusReport::problems_of(const StatValues& values) const {
  auto problems = find_problems(view_.facts, values, history_.last(kProblemWindow), view_.at);
  if (lost_at_ && view_.at - *lost_at_ < kLossIsNews)
    problems.push_back(fmt::format(
        "Log lines are being lost ({} since the start, the last at {}): is the disk full?",
        lost_lines_, in_words(*lost_at_)));
  return problems;
}

void StatusReport::look(const StatValues& values) {
  note_losses(values);
  view_.problems = problems_of(values);
  healthy_.set(view_.problems.empty() ? 1 : 0);
}

void StatusReport::tick() {
  memory_.set(resident_memory());
  auto facts = facts_.facts();
  show_in_stats(facts);
  const StatValues values(stats_.samples());
  const std::lock_guard lock(mutex_);
  view_.at = clock_.wall();
  view_.now = clock_.now();
  view_.facts = std::move(facts);
  history_.add(totals_of(values, view_.now, view_.at));
  look(values);
}

void StatusReport::refresh() {
  auto facts = facts_.facts();
  show_in_stats(facts);
  const StatValues values(stats_.samples());
  const std::lock_guard lock(mutex_);
  view_.at = clock_.wall();
  view_.now = clock_.now();
  view_.facts = std::move(facts);
  look(values);
}

bool StatusReport::healthy() const {
  const std::lock_guard lock(mutex_);
  return view_.problems.empty();
}

std::vector<std::string> StatusReport::problems() const {
  const std::lock_guard lock(mutex_);
  return view_.problems;
}

StatusView StatusReport::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

std::vector<std::string> StatusReport::not_ready(bool needs_database) const {
  std::vector<std::string> reasons;
  const auto state = [this] {
    const std::lock_guard lock(mutex_);
    return view_.facts.state;
  }();
  if (state == ServerFacts::State::Starting) reasons.emplace_back("The server is starting.");
  if (state == ServerFacts::State::Draining)
    reasons.emplace_back("The server is going: it finishes what it has and takes nothing new.");
  if (needs_database)
    if (auto trouble = database_trouble(StatValues(stats_.samples())); !trouble.empty())
      reasons.push_back(std::move(trouble));
  return reasons;
}

std::string StatusReport::line() const {
  const StatValues values(stats_.samples());
  const std::lock_guard lock(mutex_);
  const auto& facts = view_.facts;
  const auto window = history_.last(Duration(60'000));
  std::string line = facts.state == ServerFacts::State::Draining ? "going" : "serving";
  const auto connections = values.sum("connections_active");
  line += fmt::format("; {} connection{}, {:.1f} requests/s", connections,
                      connections == 1 ? "" : "s", window.per_second());
  if (window.requests() > 0) line += fmt::format(", p99 {:.0f} ms", window.times.percentile(0.99));
  if (!facts.certificate_line.empty()) line += "; " + facts.certificate_line;
  if (values.sum("api_served") != 0)
    line += values.sum("database_up") != 0 ? "; database up" : "; database DOWN";
  if (!view_.problems.empty())
    line +=
        fmt::format("; {} problem{}", view_.problems.size(), view_.problems.size() == 1 ? "" : "s");
  return line;
}

}  // namespace gatescope::ops
