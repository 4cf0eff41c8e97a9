// Connections that come from an address of one's choice.

#include "tests/unit/net/net_fixture.h"

namespace gatescope::net {

namespace {

struct Ends final : AcceptEvents, ConnectEvents {
  void on_accepted(std::unique_ptr<Stream> stream) override { accepted = std::move(stream); }
  void on_connected(std::unique_ptr<Stream> stream) override { connected = std::move(stream); }
  void on_connect_failed(const Error& error) override { failed = error.detail; }
  std::unique_ptr<Stream> accepted, connected;
  std::string failed;
};

}  // namespace

TEST_CASE("connect_from: the other end sees the address") {
  LoopFixture f;
  Ends ends;
  auto listener = f.loop->listen(*Endpoint::ip("127.0.0.1", 0), {}, ends);
  REQUIRE(listener);
  const auto from = *Endpoint::ip("127.0.0.7", 0);
  auto connecting = f.loop->connect_from({from, false}, (*listener)->local(), Duration(5000), ends);
  f.until([&] { return ends.accepted && ends.connected; });
  CHECK(ends.accepted->peer().address() == "127.0.0.7");
}

TEST_CASE("connect_from: an address that is not ours fails, and says what failed") {
  LoopFixture f;
  Ends ends;
  auto connecting = f.loop->connect_from({*Endpoint::ip("192.0.2.1", 0), false},
                                         *Endpoint::ip("127.0.0.1", 9), Duration(5000), ends);
  CHECK(ends.failed.empty());
  f.until([&] { return !ends.failed.empty(); });
  CHECK(ends.failed.find("bind(192.0.2.1:0)") == 0);
  CHECK(ends.failed.find("99: Cannot assign requested address") != std::string::npos);
}

}  // namespace gatescope::net
