#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "proxy/http/session.h"
#include "tests/support/sim_exchange.h"
#include "tests/support/sim_loop.h"

namespace gatescope::test {

/// A server made of Loop::listen, Http1Session and SimExchange: the smallest thing that answers,
/// and the upstream of a whole one. Owned by the test; its end drops every connection.
class SimSite final : private net::AcceptEvents {
 public:
  SimSite(SimLoop& loop, const net::Endpoint& address);
  ~SimSite() override;
  std::size_t connections() const { return connections_.size(); }
  const SimExchangeTally& tally() const { return tally_; }
  /// A graceful stop: of what is connected now.
  void finish_all();
  void drop_all();

 private:
  class Connection;
  void on_accepted(std::unique_ptr<net::Stream> stream) override;
  void remove(std::uint64_t number);

  SimLoop& loop_;
  NullLog log_;
  SimExchangeTally tally_;
  std::uint64_t next_number_ = 1;
  std::unique_ptr<net::Listener> listener_;
  // In the order of their coming: addresses differ from run to run, and a seed must replay.
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections_;
};

}  // namespace gatescope::test
