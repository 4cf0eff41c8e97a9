#include "tests/bench/idle.h"

#include <fmt/format.h>

#include "tests/bench/crowd.h"
#include "tests/bench/http2_asker.h"
#include "tests/bench/scenarios.h"

namespace gatescope::bench {

namespace {

using namespace std::chrono_literals;

struct Idler final : Wire {
  using Wire::Wire;
  bool answered = false, lost = false;
  void on_open() override { send("GET /k HTTP/1.1\r\nHost: bench.test\r\n\r\n"); }
  void on_data(std::string_view) override { answered = true; }
  void on_closed(bool) override { lost = true; }
};

/// As many as there are, together: what they saw is counted in one place.
class Http2Idlers {
 public:
  Http2Idlers(Reactor& reactor, SSL_CTX* tls, std::uint16_t port)
      : reactor_(reactor), tls_(tls), port_(port) {}
  void add(std::size_t count) {
    const std::size_t wanted = clients_.size() + count;
    reactor_.run_until(
        120'000ms, [&] { return finished() >= wanted; },
        [&] {
          // A few at a time: each begins with its first tick
          while (clients_.size() < wanted && clients_.size() - finished() < 100) {
            clients_.push_back(std::make_unique<Http2Asker>(
                reactor_, tls_,
                Http2Asker::Plan{.port = port_, .path = "/k", .streams = 1, .once = true}, seen_));
            clients_.back()->tick();
          }
        });
  }
  std::size_t lost() const {
    return static_cast<std::size_t>(
        std::count_if(clients_.begin(), clients_.end(), [](const auto& c) { return !c->open(); }));
  }

 private:
  std::size_t finished() const { return seen_.ok + seen_.failed(); }
  Reactor& reactor_;
  SSL_CTX* const tls_;
  const std::uint16_t port_;
  Seen seen_;
  std::vector<std::unique_ptr<Http2Asker>> clients_;
};

class Http1Idlers {
 public:
  Http1Idlers(Reactor& reactor, SSL_CTX* tls, std::uint16_t port)
      : reactor_(reactor), tls_(tls), port_(port) {}
  void add(std::size_t count) {
    std::vector<std::unique_ptr<Idler>> more;
    for (std::size_t i = 0; i < count; ++i)
      more.push_back(std::make_unique<Idler>(reactor_, tls_));
    connect_all(reactor_, more, [&](Idler& c) { c.connect(port_); });
    reactor_.run_until(20'000ms, [&] {
      return std::all_of(more.begin(), more.end(),
                         [](const auto& c) { return c->answered || c->lost; });
    });
    for (auto& client : more)
      clients_.push_back(std::move(client));
  }
  std::size_t lost() const {
    return static_cast<std::size_t>(
        std::count_if(clients_.begin(), clients_.end(), [](const auto& c) { return c->lost; }));
  }

 private:
  Reactor& reactor_;
  SSL_CTX* const tls_;
  const std::uint16_t port_;
  std::vector<std::unique_ptr<Idler>> clients_;
};

template <class Idlers>
IdleMemory measured(const MeasuredServer& server, std::uint16_t port, SSL_CTX* tls,
                    std::size_t count) {
  Reactor reactor;
  Idlers idlers(reactor, tls, port);
  idlers.add(100);  // what the first ones need once is not counted
  reactor.run_until(4000ms, [] { return false; });
  IdleMemory memory{.before = server.memory(), .connections = count};
  idlers.add(count);
  // Buffers are let go a second after the answer, the heap is trimmed every ten
  reactor.run_until(14'000ms, [] { return false; });
  memory.after = server.memory();
  memory.lost = idlers.lost();
  return memory;
}

}  // namespace

IdleMemory idle_memory(const Program& program, unsigned loops, std::size_t connections,
                       bool http2) {
  const std::uint64_t room = raise_descriptors();
  connections = std::min<std::size_t>(connections, room > 2000 ? room - 1000 : 1000);
  const std::uint16_t port = free_port();
  MeasuredServer server(program, fmt::format("worker_processes {};", loops), "");
  if (!make_certificate(server.folder(), "site")) return {};
  server.write("html/k", std::string(1024, 'k'));
  server.configure(
      fmt::format("keepalive_timeout 600s;\nserver {{ listen 127.0.0.1:{} ssl http2 backlog=4096; "
                  "ssl_certificate site.pem; ssl_certificate_key site.key; root html; }}\n",
                  port));
  if (!server.start()) return {};
  SSL_CTX* const tls = client_tls(http2);
  return http2 ? measured<Http2Idlers>(server, port, tls, connections)
               : measured<Http1Idlers>(server, port, tls, connections);
}

Figures idle(const Settings& settings) {
  Figures figures;
  for (const bool http2 : {false, true}) {
    const auto memory = idle_memory(settings.program, settings.loops, settings.connections, http2);
    if (memory.connections == 0) return {{"idle", "does not start"}};
    const char* const version = http2 ? "HTTP/2" : "HTTP/1.1";
    figures.emplace_back(fmt::format("idle TLS connections, {}", version),
                         fmt::format("{} ({} lost)", memory.connections, memory.lost));
    figures.emplace_back("memory of each", fmt::format("{:.1f} KB", memory.kb_of_each()));
    figures.emplace_back("memory of the server",
                         fmt::format("{:.1f} MB before, {:.1f} MB with them",
                                     static_cast<double>(memory.before) / 1e6,
                                     static_cast<double>(memory.after) / 1e6));
  }
  return figures;
}

}  // namespace gatescope::bench
