#include "tests/bench/cost.h"

namespace gatescope::bench {

using namespace std::chrono_literals;

LoadClients askers(Reactor& reactor, SSL_CTX* tls, const Asker::Plan& plan, int count, Seen& seen) {
  LoadClients clients;
  for (int i = 0; i < count; ++i)
    clients.push_back(std::make_unique<Asker>(reactor, tls, plan, seen));
  return clients;
}

Cost measure(Reactor& reactor, const MeasuredServer& server, LoadClients& clients, Seen& seen,
             std::chrono::milliseconds span) {
  const auto tick = [&] {
    for (auto& client : clients)
      client->tick();
  };
  reactor.run_until(
      300ms, [] { return false; }, tick);
  const double cpu = server.cpu();
  const Time begin = now();
  seen = {};
  reactor.run_until(
      span, [] { return false; }, tick);
  const double used = server.cpu() - cpu;
  const auto requests = static_cast<double>(std::max<std::uint64_t>(1, seen.ok));
  return {.us = used / requests * 1e6,
          .rate = requests / ms_between(begin, now()) * 1e3,
          .p99 = seen.percentile(0.99),
          .requests = seen.ok,
          .failed = seen.failed()};
}

Cost measure(SSL_CTX* tls, const MeasuredServer& server, const Asker::Plan& plan, int clients,
             std::chrono::milliseconds span) {
  Reactor reactor;
  Seen seen;
  auto all = askers(reactor, tls, plan, clients, seen);
  return measure(reactor, server, all, seen, span);
}

}  // namespace gatescope::bench
