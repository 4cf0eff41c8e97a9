// What the proxy costs: small answers, and 10 MB both ways, buffered and streamed.

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "tests/bench/asker.h"
#include "tests/bench/scenarios.h"
#include "tests/bench/sink.h"

namespace gatescope::bench {

namespace {

using namespace std::chrono_literals;

struct Cost {
  double us = 0;  // CPU of the server, per request
  std::uint64_t requests = 0, failed = 0;
};

Cost measure(const MeasuredServer& server, const Asker::Plan& plan, int clients,
             std::chrono::milliseconds span) {
  Reactor reactor;
  Seen seen;
  std::vector<std::unique_ptr<Asker>> askers;
  for (int i = 0; i < clients; ++i)
    askers.push_back(std::make_unique<Asker>(reactor, nullptr, plan, seen));
  const auto tick = [&] {
    for (auto& asker : askers)
      asker->tick();
  };
  reactor.run_until(
      300ms, [] { return false; }, tick);
  const double before = server.cpu();
  seen = {};
  reactor.run_until(
      span, [] { return false; }, tick);
  const double used = server.cpu() - before;
  const auto requests = static_cast<double>(std::max<std::uint64_t>(1, seen.ok));
  return {used / requests * 1e6, seen.ok, seen.failed()};
}

}  // namespace

Figures proxied(const Settings& settings) {
  Sink sink;
  const std::uint16_t port = free_port();
  MeasuredServer server(settings.program, fmt::format("worker_processes {};", settings.loops), "");
  server.configure(fmt::format(
      "client_max_body_size 0; upstream up {{ server 127.0.0.1:{}; keepalive 16; }}\n"
      "server {{ listen 127.0.0.1:{}; proxy_http_version 1.1; proxy_set_header Connection \"\";\n"
      "location / {{ proxy_pass http://up; }}\n"
      "location /streamed/ {{ proxy_pass http://up; proxy_buffering off; "
      "proxy_request_buffering off; }} }}\n",
      sink.port(), port));
  if (!server.start()) return {{"proxied", "does not start"}};
  const std::string body(10'000'000, 'u');
  const struct {
    const char *name, *path;
    const std::string* body;
    double megabytes;  // 0: it is counted in requests
  } kCases[] = {{"two bytes", "/small", nullptr, 0},
                {"10 MB down, buffered", "/big", nullptr, 10},
                {"10 MB down, streamed", "/streamed/big", nullptr, 10},
                {"10 MB up, buffered", "/up", &body, 10},
                {"10 MB up, streamed", "/streamed/up", &body, 10}};
  Figures figures;
  for (const auto& c : kCases) {
    std::vector<Cost> costs;
    for (int round = 0; round < (settings.quick ? 1 : 3); ++round)
      costs.push_back(measure(server, {.port = port, .path = c.path, .body = c.body},
                              c.megabytes > 0 ? 4 : 16, settings.quick ? 700ms : 2000ms));
    std::sort(costs.begin(), costs.end(), [](auto& a, auto& b) { return a.us < b.us; });
    const auto& median = costs[costs.size() / 2];
    figures.emplace_back(c.name,
                         c.megabytes > 0
                             ? fmt::format("{:8.1f} us of CPU per MB ({} requests, {} failed)",
                                           median.us / c.megabytes, median.requests, median.failed)
                             : fmt::format("{:8.1f} us of CPU per request ({} requests, {} failed)",
                                           median.us, median.requests, median.failed));
  }
  return figures;
}

}  // namespace gatescope::bench
