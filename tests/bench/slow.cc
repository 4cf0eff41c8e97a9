// Many connections that are slow: what each costs, and what others notice.

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "tests/bench/asker.h"
#include "tests/bench/crowd.h"
#include "tests/bench/scenarios.h"

namespace gatescope::bench {

namespace {

using namespace std::chrono_literals;

/// Reads 4 KB of a large file at each step.
struct SlowReader final : Wire {
  SlowReader(Reactor& reactor, std::string path) : Wire(reactor, nullptr), path_(std::move(path)) {}
  bool lost = false;
  void on_open() override {
    send("GET " + path_ + " HTTP/1.1\r\nHost: bench.test\r\n\r\n");
    pause_reading(true);
  }
  void on_closed(bool) override { lost = true; }
  void step() { read_some(4096); }

 private:
  const std::string path_;
};

/// Sends a byte of `text` at each step, behind `start`.
struct SlowWriter final : Wire {
  SlowWriter(Reactor& reactor, std::string start)
      : Wire(reactor, nullptr), start_(std::move(start)) {}
  bool lost = false;
  void on_open() override { send(start_); }
  void on_closed(bool) override { lost = true; }
  void step() {
    if (open()) send("x");
  }

 private:
  const std::string start_;
};

std::string patient_site(std::uint16_t port, std::uint16_t behind) {
  return fmt::format(
      "keepalive_timeout 600s; client_header_timeout 600s; client_body_timeout 600s; "
      "send_timeout 600s;\nserver {{ listen 127.0.0.1:{} backlog=4096; root html; "
      "location /post {{ client_max_body_size 1g; proxy_pass http://127.0.0.1:1; }}\n"
      "location /behind/ {{ proxy_pass http://127.0.0.1:{}/; }} }}\n",
      port, behind);
}

/// A server with a small and a large file, a location that takes bodies, and another server with
/// the large file behind it.
struct SlowSite {
  explicit SlowSite(const Settings& settings)
      : server(settings.program, fmt::format("worker_processes {};", settings.loops), ""),
        behind(settings.program, "", "") {
    for (auto* each : {&server, &behind})
      each->write("html/big", std::string(10'000'000, 'b'));
    server.write("html/k", std::string(1024, 'k'));
    behind.configure(patient_site(port_behind, 1));
    server.configure(patient_site(port, port_behind));
    up = behind.start() && server.start();
  }
  const std::uint16_t port = free_port(), port_behind = free_port();
  MeasuredServer server, behind;
  bool up = false;
};

/// Slow clients of each kind, all connected to one server.
struct SlowClients {
  SlowClients(Reactor& reactor, std::size_t readers_wanted, std::size_t heads_wanted,
              std::size_t bodies_wanted, std::size_t behind_wanted = 0) {
    for (std::size_t i = 0; i < readers_wanted; ++i)
      readers.push_back(std::make_unique<SlowReader>(reactor, "/big"));
    for (std::size_t i = 0; i < behind_wanted; ++i)
      readers.push_back(std::make_unique<SlowReader>(reactor, "/behind/big"));
    for (std::size_t i = 0; i < heads_wanted; ++i)
      heads.push_back(
          std::make_unique<SlowWriter>(reactor, "GET /k HTTP/1.1\r\nHost: bench.test\r\nX-Slow: "));
    for (std::size_t i = 0; i < bodies_wanted; ++i)
      bodies.push_back(std::make_unique<SlowWriter>(
          reactor, "POST /post HTTP/1.1\r\nHost: bench.test\r\nContent-Length: 100000\r\n\r\nabc"));
  }
  void connect(Reactor& reactor, std::uint16_t port) {
    connect_all(reactor, readers, [&](SlowReader& c) { c.connect(port, 8192); });
    connect_all(reactor, heads, [&](SlowWriter& c) { c.connect(port); });
    connect_all(reactor, bodies, [&](SlowWriter& c) { c.connect(port); });
  }
  void step() {
    for (auto& c : readers)
      c->step();
    for (auto* writers : {&heads, &bodies})
      for (auto& c : *writers)
        c->step();
  }
  std::size_t size() const { return readers.size() + heads.size() + bodies.size(); }
  std::size_t lost() const {
    std::size_t lost = 0;
    for (const auto& c : readers)
      lost += c->lost ? 1 : 0;
    for (const auto* writers : {&heads, &bodies})
      for (const auto& c : *writers)
        lost += c->lost ? 1 : 0;
    return lost;
  }
  std::vector<std::unique_ptr<SlowReader>> readers;
  std::vector<std::unique_ptr<SlowWriter>> heads, bodies;
};

/// What each costs a server that has nobody else.
std::string memory_of_each(const Settings& settings, std::size_t readers, std::size_t heads,
                           std::size_t bodies, std::size_t behind = 0) {
  SlowSite site(settings);
  if (!site.up) return "the server does not start";
  Reactor reactor;
  SlowClients first(reactor, readers / 10, heads / 10, bodies / 10,
                    behind / 10);  // what is needed once
  first.connect(reactor, site.port);
  // Until the heap has been trimmed, which happens every ten seconds
  const auto wait = [&] { reactor.run_until(14'000ms, [] { return false; }); };
  wait();
  const auto before = site.server.memory();
  SlowClients clients(reactor, readers, heads, bodies, behind);
  clients.connect(reactor, site.port);
  wait();
  const auto more = static_cast<double>(site.server.memory()) - static_cast<double>(before);
  return fmt::format("{:.1f} KB each", more / 1024 / static_cast<double>(clients.size()));
}

}  // namespace

Figures slow(const Settings& settings) {
  raise_descriptors();
  const std::size_t count = settings.quick ? 100 : 1000;
  Figures figures{
      {"slow readers of 10 MB", memory_of_each(settings, count, 0, 0)},
      {"slow readers of 10 MB from an upstream", memory_of_each(settings, 0, 0, 0, count)},
      {"slow writers of heads", memory_of_each(settings, 0, count, 0)},
      {"slow writers of bodies", memory_of_each(settings, 0, 0, count)}};
  SlowSite site(settings);
  if (!site.up) return {{"slow", "does not start"}};
  Reactor reactor;
  SlowClients clients(reactor, count, count, count);
  Seen quiet, busy;
  const auto measure = [&](Seen& seen) {
    Asker asker(reactor, nullptr, {.port = site.port, .path = "/k", .pause = 1000us}, seen);
    Time stepped = now();
    reactor.run_until(
        settings.quick ? 2000ms : 10'000ms, [] { return false; },
        [&] {
          asker.tick();
          if (now() - stepped < 1s) return;
          stepped = now();
          clients.step();
        });
    asker.finish();
    reactor.run_until(
        5000ms, [&] { return asker.quiet(); }, [&] { asker.tick(); });
  };
  measure(quiet);
  clients.connect(reactor, site.port);
  measure(busy);
  figures.emplace_back("of them lost", fmt::format("{} of {}", clients.lost(), clients.size()));
  figures.emplace_back(
      "another client's p50, p99 without them",
      fmt::format("{:.2f}, {:.2f} ms", quiet.percentile(0.5), quiet.percentile(0.99)));
  figures.emplace_back("... beside them",
                       fmt::format("{:.2f}, {:.2f} ms ({} failed)", busy.percentile(0.5),
                                   busy.percentile(0.99), busy.failed()));
  return figures;
}

}  // namespace gatescope::bench
