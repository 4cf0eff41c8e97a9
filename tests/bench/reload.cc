// Reload and crash: what clients see of them.

#include <fmt/format.h>
#include <signal.h>

#include <filesystem>
#include <memory>

#include "tests/bench/asker.h"
#include "tests/bench/scenarios.h"

namespace gatescope::bench {

namespace {

using namespace std::chrono_literals;

struct Ports {
  std::uint16_t plain = free_port(), tls = free_port();
};

std::string site(const Ports& ports, const std::string& answer) {
  return fmt::format(
      "server {{ listen 127.0.0.1:{}; location / {{ return 200 \"{}\"; }} }}\n"
      "server {{ listen 127.0.0.1:{} ssl; ssl_certificate {{folder}}/site.pem; "
      "ssl_certificate_key {{folder}}/site.key; location / {{ return 200 \"{}\"; }} }}\n",
      ports.plain, answer, ports.tls, answer);
}

std::string with_folder(std::string text, const std::string& folder) {
  for (std::size_t at; (at = text.find("{folder}")) != std::string::npos;)
    text.replace(at, 8, folder);
  return text;
}

void use_certificate(const MeasuredServer& server, const std::string& name) {
  server.write("site.key", server.read(name + ".key"));
  server.write("site.pem", server.read(name + ".pem"));
}

/// Clients of both ports: half of them keep their connections, the others do not.
struct Load {
  Load(Reactor& reactor, SSL_CTX* tls, const Ports& ports, std::chrono::microseconds pause) {
    for (const bool secure : {false, true})
      for (const bool keep : {true, true, false})
        askers.push_back(std::make_unique<Asker>(
            reactor, secure ? tls : nullptr,
            Asker::Plan{.port = secure ? ports.tls : ports.plain, .keep = keep, .pause = pause},
            seen));
  }
  void tick() {
    for (auto& asker : askers)
      asker->tick();
  }
  bool quiet() const {
    return std::all_of(askers.begin(), askers.end(), [](const auto& a) { return a->quiet(); });
  }
  void finish(Reactor& reactor) {
    for (auto& asker : askers)
      asker->finish();
    reactor.run_until(
        5000ms, [this] { return quiet(); }, [this] { tick(); });
  }
  Seen seen;
  std::vector<std::unique_ptr<Asker>> askers;
};

/// An idle client: holds its TLS connection through everything.
struct ReloadIdler final : Wire {
  using Wire::Wire;
  bool lost = false;
  void on_open() override { send("GET / HTTP/1.1\r\nHost: bench.test\r\n\r\n"); }
  void on_closed(bool) override { lost = true; }
};

}  // namespace

Figures reload(const Settings& settings) {
  const Ports ports;
  // nginx's old processes pile up behind a thousand reloads; a twentieth shows what it does
  const int reloads = (settings.program.is_nginx ? 50 : 1000) / (settings.quick ? 10 : 1);
  MeasuredServer server(settings.program, fmt::format("worker_processes {};", settings.loops), "");
  for (const char* name : {"one", "two"})
    if (!make_certificate(server.folder(), name)) return {{"reload", "no openssl command"}};
  use_certificate(server, "one");
  server.configure(with_folder(site(ports, "start"), server.folder()));
  if (!server.start()) return {{"reload", "does not start"}};
  Reactor reactor;
  SSL_CTX* const tls = client_tls();
  Load load(reactor, tls, ports, 500us);
  std::vector<std::unique_ptr<ReloadIdler>> idlers;
  for (int i = 0; i < 100; ++i) {
    idlers.push_back(std::make_unique<ReloadIdler>(reactor, tls));
    idlers.back()->connect(ports.tls);
  }
  const auto tick = [&] { load.tick(); };
  reactor.run_until(
      3000ms, [] { return false; }, tick);
  const auto memory_at = [&] {
    reactor.run_until(
        3000ms, [] { return false; }, tick);  // generations that ended are let go
    return static_cast<double>(server.memory()) / 1e6;
  };
  double memory_early = 0;
  int certificates = 0, broken = 0, unanswered = 0;
  const Time begin = now();
  for (int i = 0; i < reloads; ++i) {
    const std::size_t log = server.error_log_size();
    auto text = with_folder(site(ports, fmt::format("reload {}", i)), server.folder());
    if (i % 10 == 3) {
      text += "server { retrun 200; }\n";
      ++broken;
    }
    if (i % 10 == 7) {
      use_certificate(server, i % 20 == 7 ? "two" : "one");
      ++certificates;
    }
    server.configure(text);
    server.signal(SIGHUP);
    // Its log says that it is done, one way or the other
    std::size_t looked = log;
    const bool said = reactor.run_until(
        10'000ms,
        [&] {
          const auto size = server.error_log_size();
          if (size == looked) return false;
          looked = size;
          if (settings.program.is_nginx) return true;
          const auto lines = server.read("logs/error.log").substr(log);
          return lines.find(" serves\n") != std::string::npos ||
                 lines.find("goes on\n") != std::string::npos;
        },
        tick);
    if (!said) ++unanswered;
    if (settings.program.is_nginx)
      reactor.run_until(
          50ms, [] { return false; }, tick);
    if (i == reloads / 10) memory_early = memory_at();
  }
  const double seconds = ms_between(begin, now()) / 1000;
  const double memory_late = memory_at();
  load.finish(reactor);
  const auto lost =
      std::count_if(idlers.begin(), idlers.end(), [](const auto& i) { return i->lost; });
  return {
      {"reloads", fmt::format("{} ({} certificates, {} broken files) in {:.1f} s", reloads,
                              certificates, broken, seconds)},
      {"reloads without a word in the log", std::to_string(unanswered)},
      {"requests ok", std::to_string(load.seen.ok)},
      {"requests failed", fmt::format("{} ({} refused, {} cut, {} wrong)", load.seen.failed(),
                                      load.seen.refused, load.seen.cut, load.seen.wrong)},
      {"idle TLS connections lost", fmt::format("{} of {}", lost, idlers.size())},
      {"p50, p99, longest", fmt::format("{:.2f}, {:.2f}, {:.1f} ms", load.seen.percentile(0.5),
                                        load.seen.percentile(0.99), load.seen.percentile(1))},
      {"memory after a tenth, at the end",
       fmt::format("{:.1f}, {:.1f} MB", memory_early, memory_late)},
  };
}

Figures crash(const Settings& settings) {
  if (::geteuid() != 0) return {{"crash", "not measured: needs root, for a keeper"}};
  const Ports ports;
  MeasuredServer server(settings.program, fmt::format("worker_processes {};", settings.loops), "");
  if (!make_certificate(server.folder(), "one")) return {{"crash", "no openssl command"}};
  use_certificate(server, "one");
  server.configure(with_folder(site(ports, "ok"), server.folder()));
  if (!server.start()) return {{"crash", "does not start"}};
  Reactor reactor;
  SSL_CTX* const tls = client_tls();
  Load load(reactor, tls, ports, 200us);
  const auto tick = [&] { load.tick(); };
  std::vector<double> gaps;
  const int kills = settings.quick ? 2 : 10;
  for (int i = 0; i < kills; ++i) {
    // Longer apart than what the keeper takes for a worker that dies again and again
    reactor.run_until(
        settings.quick ? 1500ms : 10'500ms, [] { return false; }, tick);
    const Time killed = now();
    for (const pid_t worker : server.workers())
      ::kill(worker, SIGKILL);
    load.seen.last_ok = {};
    // The first answer may have been on its way already
    reactor.run_until(
        2ms, [] { return false; }, tick);
    load.seen.last_ok = {};
    if (!reactor.run_until(
            10'000ms, [&] { return load.seen.last_ok != Time{}; }, tick))
      return {{"crash", "not served again within 10 s"}};
    gaps.push_back(ms_between(killed, load.seen.last_ok));
  }
  reactor.run_until(
      500ms, [] { return false; }, tick);
  load.finish(reactor);
  std::sort(gaps.begin(), gaps.end());
  return {
      {"kills of the worker", std::to_string(kills)},
      {"served again after",
       fmt::format("{:.1f} ms (median), {:.1f} ms (longest)", gaps[gaps.size() / 2], gaps.back())},
      {"clients saw", fmt::format("{} ok, {} cut, {} refused, {} wrong", load.seen.ok,
                                  load.seen.cut, load.seen.refused, load.seen.wrong)},
  };
}

}  // namespace gatescope::bench
