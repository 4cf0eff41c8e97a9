// What the proxy costs: small answers, and 10 MB both ways, buffered and streamed.

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "tests/bench/cost.h"
#include "tests/bench/scenarios.h"
#include "tests/bench/sink.h"

namespace gatescope::bench {

namespace {

using namespace std::chrono_literals;

std::string configuration_of(const Program& program, std::uint16_t port, std::uint16_t behind) {
  if (program.is_haproxy)
    return fmt::format(
        "global\n  nbthread 1\ndefaults\n  mode http\n  timeout client 60s\n  timeout server 60s\n"
        "  timeout connect 5s\n  http-reuse always\nfrontend f\n  bind 127.0.0.1:{}\n"
        "  default_backend b\nbackend b\n  server u 127.0.0.1:{}\n",
        port, behind);
  return fmt::format(
      "client_max_body_size 0; upstream up {{ server 127.0.0.1:{}; keepalive 16; }}\n"
      "server {{ listen 127.0.0.1:{}; proxy_http_version 1.1; proxy_set_header Connection \"\";\n"
      "location / {{ proxy_pass http://up; }}\n"
      "location /streamed/ {{ proxy_pass http://up; proxy_buffering off; "
      "proxy_request_buffering off; }} }}\n",
      behind, port);
}

struct Measured {
  Measured(const Program& program, unsigned loops, std::uint16_t behind)
      : name(program.name), server(program, fmt::format("worker_processes {};", loops), "") {
    const auto text = configuration_of(program, port, behind);
    program.is_haproxy ? server.write("server.conf", text) : server.configure(text);
    up = server.start();
  }
  const std::string name;
  const std::uint16_t port = free_port();
  MeasuredServer server;
  bool up = false;
  std::vector<double> us;  // of CPU, per request, a round each
  std::uint64_t failed = 0;
  double median() {
    std::sort(us.begin(), us.end());
    return us[us.size() / 2];
  }
};

}  // namespace

Figures proxied(const Settings& settings) {
  Sink sink;
  std::vector<std::unique_ptr<Measured>> all;
  all.push_back(std::make_unique<Measured>(settings.program, settings.loops, sink.port()));
  for (const auto& program : settings.beside)
    all.push_back(std::make_unique<Measured>(program, settings.loops, sink.port()));
  for (const auto& each : all)
    if (!each->up) return {{"proxied", each->name + " does not start"}};
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
    for (const auto& each : all)
      each->us.clear(), each->failed = 0;
    for (int round = 0; round < (settings.quick ? 1 : 3); ++round)
      for (std::size_t i = 0; i < all.size(); ++i) {
        auto& each = *all[round % 2 == 0 ? i : all.size() - 1 - i];
        const auto cost =
            measure(nullptr, each.server, {.port = each.port, .path = c.path, .body = c.body},
                    c.megabytes > 0 ? 4 : 16, settings.quick ? 700ms : 2000ms);
        each.us.push_back(cost.us / std::max(1.0, c.megabytes));
        each.failed += cost.failed + (cost.requests == 0 ? 1 : 0);
      }
    const double ours = all.front()->median();
    std::string line =
        fmt::format("{:.1f} us of CPU per {}", ours, c.megabytes > 0 ? "MB" : "request");
    for (const auto& each : all) {
      if (each != all.front())
        line +=
            fmt::format("; {} {:.1f} (x{:.2f})", each->name, each->median(), each->median() / ours);
      if (each->failed > 0) line += fmt::format(" {} FAILED", each->failed);
    }
    figures.emplace_back(c.name, line);
  }
  return figures;
}

}  // namespace gatescope::bench
