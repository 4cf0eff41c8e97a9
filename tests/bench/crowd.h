#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "tests/bench/wire.h"

namespace gatescope::bench {

/// Connects all of them, a few at a time; they are open or lost then. False: that takes too long.
template <class Client, class Connect>
bool connect_all(Reactor& reactor, std::vector<std::unique_ptr<Client>>& clients, Connect connect) {
  std::size_t begun = 0;
  return reactor.run_until(std::chrono::minutes(2), [&] {
    const std::size_t open = static_cast<std::size_t>(
        std::count_if(clients.begin(), clients.begin() + static_cast<std::ptrdiff_t>(begun),
                      [](const auto& c) { return c->open() || c->lost; }));
    while (begun < clients.size() && begun - open < 100)
      connect(*clients[begun++]);
    return open == clients.size();
  });
}

}  // namespace gatescope::bench
