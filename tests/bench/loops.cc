// What several loops cost and how the work spreads.

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include "tests/bench/asker.h"
#include "tests/bench/scenarios.h"

namespace gatescope::bench {

namespace {

using namespace std::chrono_literals;

/// CPU seconds of every thread of the server's workers.
std::map<int, double> cpu_by_thread(const MeasuredServer& server) {
  std::map<int, double> seconds;
  for (const pid_t pid : server.workers())
    for (const auto& task :
         std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid))) {
      std::ifstream file(task.path() / "stat");
      std::string text((std::istreambuf_iterator<char>(file)), {});
      const std::size_t name_end = text.rfind(')');
      if (name_end == std::string::npos) continue;
      long user = 0, system = 0;
      std::sscanf(text.c_str() + name_end, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld",
                  &user, &system);
      seconds[std::stoi(task.path().filename())] =
          static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    }
  return seconds;
}

}  // namespace

Figures small(const Settings& settings) {
  const std::uint16_t port = free_port();
  MeasuredServer server(settings.program, fmt::format("worker_processes {};", settings.loops), "");
  if (!make_certificate(server.folder(), "site")) return {{"small", "no openssl command"}};
  server.write("html/k", std::string(1024, 'k'));
  server.configure(fmt::format(
      "server {{ listen 127.0.0.1:{} ssl; ssl_certificate {}/site.pem; ssl_certificate_key "
      "{}/site.key; root html; }}\n",
      port, server.folder(), server.folder()));
  if (!server.start()) return {{"small", "does not start"}};
  Reactor reactor;
  SSL_CTX* const tls = client_tls();
  Seen seen;
  std::vector<std::unique_ptr<Asker>> askers;
  for (int i = 0; i < 32; ++i)
    askers.push_back(
        std::make_unique<Asker>(reactor, tls, Asker::Plan{.port = port, .path = "/k"}, seen));
  const auto tick = [&] {
    for (auto& asker : askers)
      asker->tick();
  };
  reactor.run_until(
      1000ms, [] { return false; }, tick);
  const auto before = cpu_by_thread(server);
  const std::uint64_t ok = seen.ok;
  reactor.run_until(
      settings.quick ? 1000ms : 8000ms, [] { return false; }, tick);
  const auto requests = static_cast<double>(seen.ok - ok);
  double total = 0;
  std::string spread;
  for (const auto& [thread, seconds] : cpu_by_thread(server)) {
    const double used = seconds - (before.contains(thread) ? before.at(thread) : 0);
    total += used;
    if (used > 0.02) spread += fmt::format("{}{:.2f}", spread.empty() ? "" : ", ", used);
  }
  return {
      {"requests", fmt::format("{} ({} failed)", requests, seen.failed())},
      {"CPU per request", fmt::format("{:.1f} us", total / std::max(1.0, requests) * 1e6)},
      {"CPU seconds by thread", spread},
  };
}

}  // namespace gatescope::bench
