// The rules by which something is said to be wrong.

#include <fmt/format.h>

#include <algorithm>

#include "proxy/base/time_words.h"
#include "proxy/ops/status_report.h"

namespace gatescope::ops {

namespace {

using Days = std::chrono::duration<std::int64_t, std::ratio<86400>>;

constexpr Days kCertificateNear{7};
constexpr std::uint64_t kEnoughRequests = 20;  // one error among three requests is no rate
constexpr double kManyErrors = 0.05;

enum PostgresState { kAdopted = 2, kReady = 6 };  // of the gauge embedded_postgres_state

std::string certificate_trouble(const ServerFacts::Certificate& one, WallTime now) {
  if (one.temporary)
    return fmt::format(
        "{} has a temporary certificate, which no browser believes; see the error "
        "log for why none was obtained.",
        one.names);
  if (one.not_after <= now)
    return fmt::format("The certificate for {} HAS EXPIRED: it ended at {} ({}).", one.names,
                       in_words(one.not_after), one.source);
  if (now < one.not_before)
    return fmt::format("The certificate for {} is not valid before {} ({}).", one.names,
                       in_words(one.not_before), one.source);
  const auto left = one.not_after - now;
  // One that lasts for days only is renewed when a third is left: half of that is late.
  const auto near =
      std::min<WallTime::duration>(kCertificateNear, (one.not_after - one.not_before) / 6);
  if (left < near)
    return fmt::format(
        "The certificate for {} ends in {}, at {} ({}): it should have been "
        "renewed.",
        one.names, in_words(std::chrono::duration_cast<Duration>(left)), in_words(one.not_after),
        one.source);
  return {};
}

}  // namespace

std::string database_trouble(const StatValues& values) {
  if (values.sum("api_served") == 0 || values.sum("database_up") != 0) return {};
  if (values.has("embedded_postgres_state")) {
    const auto state = values.sum("embedded_postgres_state");
    if (state != kReady && state != kAdopted)
      return "The embedded database is not running (it starts, or could not be started: see the "
             "error log).";
  }
  return "The database does not answer: only what is in memory is served by /api.";
}

std::vector<std::string> find_problems(const ServerFacts& facts, const StatValues& values,
                                       const History::Window& window, WallTime now) {
  std::vector<std::string> problems;
  if (facts.last_reload && !facts.last_reload->good)
    problems.push_back(
        fmt::format("The last reload failed, the configuration before it goes on: {}",
                    facts.last_reload->error));
  if (auto database = database_trouble(values); !database.empty())
    problems.push_back(std::move(database));
  for (const auto& group : facts.upstreams)
    if (group.servers > 0 && group.usable == 0)
      problems.push_back(fmt::format("No server of the upstream \"{}\" answers.", group.name));
  for (const auto& one : facts.certificates) {
    if (auto trouble = certificate_trouble(one, now); !trouble.empty())
      problems.push_back(std::move(trouble));
    if (!one.problem.empty())
      problems.push_back(fmt::format("A newer certificate for {} is there and is not used: {}",
                                     one.names, one.problem));
  }
  const auto until = WallTime(std::chrono::seconds(values.sum("oeis_resting_until")));
  if (until > now)
    problems.push_back(fmt::format(
        "OEIS refused our requests and is left alone until {}: sequences that are not stored "
        "cannot be had.",
        in_words(until)));
  const auto requests = window.requests();
  const auto errors = window.responses[5];
  if (requests >= kEnoughRequests &&
      static_cast<double>(errors) > kManyErrors * static_cast<double>(requests))
    problems.push_back(
        fmt::format("{} of the last {} requests were answered with an error of the "
                    "server (5xx); see the error log.",
                    errors, requests));
  if (facts.most_connections > 0 && static_cast<double>(values.sum("connections_active")) >=
                                        0.95 * static_cast<double>(facts.most_connections))
    problems.push_back(
        fmt::format("{} of {} connections (worker_connections) are in use; new "
                    "clients wait.",
                    values.sum("connections_active"), facts.most_connections));
  return problems;
}

}  // namespace gatescope::ops
