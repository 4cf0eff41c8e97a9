#pragma once

#include <memory>
#include <string>

#include "proxy/net/loop.h"
#include "proxy/net/stream.h"

namespace gatescope::api {

class PostgresProbeEvents {
 public:
  virtual ~PostgresProbeEvents() = default;
  enum class Verdict { Ready, NotYet, Refused };
  /// Once; the probe may be put into the loop's bin inside, not deleted.
  virtual void on_probed(Verdict verdict, const std::string& why) = 0;
};

/// Asks a PostgreSQL server once whether it takes connections: a startup message, and the first
/// answer (https://www.postgresql.org/docs/15/protocol-flow.html). Costs nothing that blocks, so
/// that readiness can be seen within milliseconds. Owned by the asker.
/// Connecting -> Asking -> Done
class PostgresProbe final : private net::ConnectEvents,
                            private net::StreamEvents,
                            private net::TimerEvents {
 public:
  PostgresProbe(net::Loop& loop, const net::Endpoint& server, std::string user,
                std::string database, PostgresProbeEvents& events);
  ~PostgresProbe() override = default;

 private:
  enum class State { Connecting, Asking, Done };
  using Verdict = PostgresProbeEvents::Verdict;
  void on_connected(std::unique_ptr<net::Stream> stream) override;
  void on_connect_failed(const Error& error) override;
  void on_data(std::span<const std::byte> data) override;
  void on_end() override;
  void on_drained() override {}
  void on_failed(const Error& error) override;
  void on_timer(net::Timer& timer) override;
  void finish(Verdict verdict, const std::string& why);

  const std::string user_, database_;
  PostgresProbeEvents& events_;
  State state_ = State::Connecting;
  std::string received_;  // of the first message
  std::unique_ptr<net::Timer> deadline_;
  std::unique_ptr<net::Connecting> connecting_;
  std::unique_ptr<net::Stream> stream_;
};

}  // namespace gatescope::api
