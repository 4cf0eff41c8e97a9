#pragma once

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "proxy/net/extra_loop.h"
#include "proxy/net/socket_source.h"
#include "tests/support/sim_loop.h"

namespace gatescope::test {

/// More loops in a SimWorld; each turn of theirs is an event of the world, so none needs a thread.
class SimLoops final : public net::LoopMaker {
 public:
  explicit SimLoops(SimWorld& world) : world_(world) {}
  std::unique_ptr<net::ExtraLoop> make_loop(unsigned number) override {
    ++made;
    return std::make_unique<Extra>(world_, number);
  }
  unsigned made = 0;

 private:
  struct Extra final : net::ExtraLoop {
    Extra(SimWorld& world, unsigned number) : sim(world, fmt::format("server {}", number)) {}
    net::Loop& loop() override { return sim; }
    void start() override {}
    void stop() override {}
    SimLoop sim;
  };
  SimWorld& world_;
};

/// Listening sockets where there are no descriptors; an address can be taken by somebody else.
class SimSockets final : public net::SocketSource {
 public:
  Result<UniqueFd> listening_socket(const net::Endpoint& endpoint,
                                    const net::ListenOptions& options, unsigned loop) override {
    if (taken && *taken == endpoint)
      return make_error(
          ErrorKind::System, Origin::Internal,
          "bind() to " + endpoint.to_string() + " failed (98: Address already in use)");
    asked.push_back(net::socket_name(endpoint, options, loop));
    return UniqueFd();
  }
  Result<void> retain(const std::vector<std::string>& names) override {
    retained = names;
    return {};
  }
  std::optional<net::Endpoint> taken;
  std::vector<std::string> asked, retained;
};

}  // namespace gatescope::test
