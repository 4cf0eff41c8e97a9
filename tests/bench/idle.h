#pragma once

#include <cstdint>

#include "tests/bench/server.h"

namespace gatescope::bench {

/// What connections cost that have been answered once and do nothing now.
struct IdleMemory {
  std::uint64_t before = 0, after = 0;  // of the whole server, bytes
  std::size_t connections = 0, lost = 0;
  double kb_of_each() const {
    return (static_cast<double>(after) - static_cast<double>(before)) / 1024 /
           static_cast<double>(connections);
  }
};

/// Over TLS; takes half a minute, since buffers are let go and heaps trimmed some time after the
/// last answer. No connections: the server does not start.
IdleMemory idle_memory(const Program& program, unsigned loops, std::size_t connections, bool http2);

}  // namespace gatescope::bench
