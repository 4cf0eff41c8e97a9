#pragma once

// What the server knows of itself and no counter says.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxy/base/clock.h"

namespace gatescope::ops {

/// A value, as it was when it was asked for.
struct ServerFacts {
  enum class State { Starting, Serving, Draining };

  std::string version, commit;
  int pid = 0;
  State state = State::Starting;
  WallTime started{};
  MonoTime started_mono{};
  std::string configuration;  // path of the file
  std::uint64_t generation = 0;
  unsigned loops = 1;
  std::uint64_t most_connections = 0;  // worker_connections of all loops

  struct Reload {
    WallTime at{};
    bool good = false;
    std::string error;  // empty: it went well
  };
  std::optional<Reload> last_reload;  // since the start; nullopt: none yet
  std::uint64_t reloads = 0, failed_reloads = 0;

  struct Certificate {
    std::string names;   // "a.test, b.test"
    std::string source;  // file, or "$acme_certificate..."
    std::string key;     // "ECDSA 256"
    std::string issuer;
    std::string problem;  // why a newer one that is there does not load
    WallTime not_before{}, not_after{};
    bool temporary = false;  // self-signed, until the first one is obtained
  };
  std::vector<Certificate> certificates;
  std::string certificate_line;  // of the first that ends, in words; empty: none is served

  struct Group {
    std::string name;
    std::uint64_t servers = 0, usable = 0, active = 0;
  };
  std::vector<Group> upstreams;
};

/// Asked on loop 0. Server is one.
class FactSource {
 public:
  virtual ~FactSource() = default;
  virtual ServerFacts facts() const = 0;
};

}  // namespace gatescope::ops
