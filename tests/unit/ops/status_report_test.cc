#include "proxy/ops/status_report.h"

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"

using namespace gatescope;
using namespace gatescope::ops;
using nlohmann::json;

namespace {

class SetClock final : public Clock {
 public:
  MonoTime now() const override { return mono; }
  WallTime wall() const override { return at; }
  void pass(Duration time) {
    mono += time;
    at += time;
  }
  MonoTime mono{std::chrono::hours(5)};
  WallTime at{std::chrono::seconds(1'800'000'000)};
};

constexpr std::chrono::hours kDay{24};

/// A report about a server that is whatever the test says.
class Reported final : public FactSource {
 public:
  Reported() {
    given.state = ServerFacts::State::Serving;
    given.version = "0.1.0";
    given.started = clock.at;
    given.started_mono = clock.mono;
    report.tick();
  }
  ServerFacts facts() const override { return given; }
  json now() {
    clock.pass(Duration(1000));
    report.tick();
    return json::parse(report.json());
  }
  /// The one problem that there is.
  std::string problem() {
    const auto found = now().at("problems");
    REQUIRE(found.size() == 1);
    return found[0];
  }
  Counter& gauge(std::string_view name) { return stats.gauge(name, "", ""); }
  ServerFacts::Certificate certificate(std::chrono::hours left) const {
    return {.names = "a.test",
            .source = "a.pem",
            .key = "ECDSA 256",
            .issuer = "Authority",
            .problem = {},
            .not_before = clock.at - 60 * kDay,
            .not_after = clock.at + left};
  }

  SetClock clock;
  Stats stats;
  ServerFacts given;
  StatusReport report{stats, *this, clock};
};

}  // namespace

TEST_CASE("a fresh server is healthy and has numbers for everything") {
  Reported server;
  const auto now = server.now();
  CHECK(now.at("healthy") == true);
  CHECK(now.at("problems").empty());
  CHECK(now.at("state") == "serving");
  CHECK(now.at("uptime") == 1);
  CHECK(now.at("now") == 1'800'000'001);
  CHECK(now.at("memory").at("resident") > 1'000'000);
  CHECK(now.at("last_minute").at("requests") == 0);
  CHECK(now.at("last_minute").at("p99_ms") == 0);
  CHECK(now.at("file_cache").at("hit_rate").is_null());
  for (const auto* absent : {"database", "oeis", "factoring", "api_cache"})
    CHECK(now.at(absent).is_null());
  CHECK(now.at("reloads").at("last").is_null());
  CHECK(now.at("certificates").empty());
}

TEST_CASE("a reload that failed is a problem until one goes well") {
  Reported server;
  server.given.last_reload = {.at = server.clock.at, .good = false, .error = "no \"x\" in f:3"};
  server.given.reloads = server.given.failed_reloads = 1;
  server.report.refresh();
  CHECK_FALSE(server.report.healthy());
  CHECK(server.problem().find("no \"x\" in f:3") != std::string::npos);
  auto now = server.now();
  CHECK(now.at("reloads").at("failed") == 1);
  CHECK(now.at("reloads").at("last").at("good") == false);
  server.given.last_reload = {.at = server.clock.at, .good = true, .error = {}};
  server.given.reloads = 2;
  now = server.now();
  CHECK(now.at("healthy") == true);
  CHECK(now.at("reloads").at("last").at("good") == true);
}

TEST_CASE("a certificate is a problem from a week before its end") {
  Reported server;
  server.given.certificates = {server.certificate(8 * kDay)};
  auto now = server.now();
  CHECK(now.at("healthy") == true);
  CHECK(now.at("certificates")[0].at("days_left") == 7);
  server.given.certificates = {server.certificate(5 * kDay)};
  CHECK(server.problem().find("a.test ends in") != std::string::npos);
  server.given.certificates = {server.certificate(-kDay)};
  CHECK(server.problem().find("HAS EXPIRED") != std::string::npos);
  CHECK(server.now().at("certificates")[0].at("days_left") == -2);
  // One that lasts six days is late in its last day only
  auto brief = server.certificate(2 * kDay);
  brief.not_before = server.clock.at - 4 * kDay;
  server.given.certificates = {brief};
  CHECK(server.now().at("healthy") == true);
  brief.problem = "the key does not fit";
  server.given.certificates = {brief};
  CHECK(server.problem().find("the key does not fit") != std::string::npos);
  brief.problem.clear();
  brief.temporary = true;
  server.given.certificates = {brief};
  CHECK(server.problem().find("temporary") != std::string::npos);
}

TEST_CASE("a database that is down is a problem, and a reason not to be ready where it is needed") {
  Reported server;
  CHECK(server.report.not_ready(true).empty());
  server.gauge("api_served").set(1);
  CHECK(server.problem().find("database") != std::string::npos);
  CHECK(server.now().at("database").at("up") == false);
  CHECK(server.report.not_ready(false).empty());
  CHECK(server.report.not_ready(true).size() == 1);
  server.gauge("embedded_postgres_state").set(5);
  CHECK(server.problem().find("embedded") != std::string::npos);
  server.gauge("embedded_postgres_state").set(6);
  server.gauge("database_up").set(1);
  CHECK(server.now().at("healthy") == true);
  CHECK(server.now().at("database").at("up") == true);
  CHECK(server.report.not_ready(true).empty());
}

TEST_CASE("the breaker is open, then half open, then closed") {
  Reported server;
  server.gauge("oeis_asked").set(1);
  CHECK(server.now().at("oeis").at("breaker") == "closed");
  server.gauge("oeis_resting_until").set(1'800'000'060);
  CHECK(server.problem().find("OEIS") != std::string::npos);
  CHECK(server.now().at("oeis").at("breaker") == "open");
  CHECK(server.now().at("oeis").at("open_until") == 1'800'000'060);
  server.clock.pass(Duration(60'000));
  CHECK(server.now().at("oeis").at("breaker") == "half open");
  CHECK(server.now().at("healthy") == true);
  server.gauge("oeis_resting_until").set(0);
  CHECK(server.now().at("oeis").at("breaker") == "closed");
}

TEST_CASE("log lines that are lost are news for a quarter of an hour") {
  Reported server;
  auto& lost = server.stats.counter("log_lines_lost", "lines", "");
  lost.set(12);
  CHECK(server.problem().find("12") != std::string::npos);
  server.clock.pass(Duration(14 * 60'000));
  CHECK(server.now().at("healthy") == false);
  server.clock.pass(Duration(2 * 60'000));
  CHECK(server.now().at("healthy") == true);
  CHECK(server.now().at("log_lines_lost") == 12);
}

TEST_CASE("an upstream of which no server is usable is a problem") {
  Reported server;
  server.given.upstreams = {{.name = "backend", .servers = 2, .usable = 1, .active = 3}};
  CHECK(server.now().at("healthy") == true);
  server.given.upstreams[0].usable = 0;
  CHECK(server.problem().find("\"backend\"") != std::string::npos);
  CHECK(server.now().at("upstreams")[0].at("active") == 3);
}

TEST_CASE("many errors are a problem, a few or one of three requests are not") {
  Reported server;
  LoopCounter good, bad;
  server.stats.add_part(StatKind::Counter, "http_responses", "responses", "", {{"class", "2xx"}},
                        good);
  server.stats.add_part(StatKind::Counter, "http_responses", "responses", "", {{"class", "5xx"}},
                        bad);
  good.add(2);
  bad.add(1);
  CHECK(server.now().at("healthy") == true);
  good.add(97);
  bad.add(1);
  CHECK(server.now().at("healthy") == true);
  bad.add(20);
  CHECK(server.problem().find("22 of the last 121 requests") != std::string::npos);
  const auto now = server.now();
  CHECK(now.at("last_minute").at("errors") == 22);
  CHECK(now.at("requests").at("by_class").at("2xx") == 99);
  server.clock.pass(Duration(400'000));
  server.report.tick();
  for (int i = 0; i < 31; ++i) {
    server.clock.pass(Duration(10'000));
    server.report.tick();
  }
  CHECK(server.now().at("healthy") == true);
}

TEST_CASE("a server that goes is not ready, one that starts is not yet") {
  Reported server;
  CHECK(server.report.not_ready(false).empty());
  server.given.state = ServerFacts::State::Draining;
  server.report.refresh();
  REQUIRE(server.report.not_ready(false).size() == 1);
  CHECK(server.now().at("state") == "draining");
  CHECK(server.report.line().starts_with("going;"));
  server.given.state = ServerFacts::State::Starting;
  server.report.refresh();
  CHECK(server.report.not_ready(false).size() == 1);
}

TEST_CASE("the line for a service manager says what counts") {
  Reported server;
  CHECK(server.report.line() == "serving; 0 connections, 0.0 requests/s");
  server.gauge("connections_active").set(12);
  server.gauge("api_served").set(1);
  server.given.certificate_line = "certificate a.test: 29 days left";
  server.report.tick();
  server.now();
  CHECK(server.report.line() ==
        "serving; 12 connections, 0.0 requests/s; certificate a.test: 29 days left; database "
        "DOWN; 1 problem");
}

TEST_CASE("history in JSON is only what is newer than what is known") {
  Reported server;
  server.now();
  server.now();
  server.now();
  auto all = json::parse(server.report.json_with_history(0, 0)).at("history");
  CHECK(all.at("seconds").at("last") == 3);
  CHECK(all.at("seconds").at("at").size() == 3);
  CHECK(all.at("minutes").at("at").empty());
  CHECK(all.at("minutes").at("last") == 0);
  const auto newer = json::parse(server.report.json_with_history(2, 0)).at("history");
  CHECK(newer.at("seconds").at("at").size() == 1);
  for (const auto& [name, column] : newer.at("seconds").items())
    if (column.is_array()) CHECK(column.size() == 1);
  CHECK(json::parse(server.report.json_with_history(99, 99))
            .at("history")
            .at("seconds")
            .at("at")
            .empty());
}

TEST_CASE("a name that is no text does not break the report") {
  Reported server;
  server.given.configuration = "/etc/\xff\xfe.conf";
  CHECK(server.now().at("configuration").get<std::string>().starts_with("/etc/"));
}
