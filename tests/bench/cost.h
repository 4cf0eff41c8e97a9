#pragma once

#include <memory>
#include <vector>

#include "tests/bench/asker.h"
#include "tests/bench/server.h"

namespace gatescope::bench {

/// What a server needed for the requests of a while.
struct Cost {
  double us = 0;    // of its CPU time, per request
  double rate = 0;  // requests a second
  double p99 = 0;   // ms, as the clients saw it
  std::uint64_t requests = 0, failed = 0;
};

using LoadClients = std::vector<std::unique_ptr<LoadClient>>;

LoadClients askers(Reactor& reactor, SSL_CTX* tls, const Asker::Plan& plan, int count, Seen& seen);
/// Lets them work for a while, and then for `span` that is counted. They count into `seen`.
Cost measure(Reactor& reactor, const MeasuredServer& server, LoadClients& clients, Seen& seen,
             std::chrono::milliseconds span);
/// The same with askers of its own.
Cost measure(SSL_CTX* tls, const MeasuredServer& server, const Asker::Plan& plan, int clients,
             std::chrono::milliseconds span);

}  // namespace gatescope::bench
