#pragma once

#include <memory>

#include "proxy/base/log.h"
#include "proxy/launch_options.h"
#include "proxy/net/socket_source.h"
#include "proxy/net/uv_loop.h"
#include "proxy/server.h"

namespace gatescope::commands {

/// A Server that serves nobody, in the world as it is, for commands that read a configuration.
class CommandServer {
 public:
  /// `log` outlives it.
  CommandServer(const server::LaunchOptions& options, Log& log)
      : loop_(net::UvLoop::make(sockets_, log)),
        more_loops_(sockets_, log),
        server_({*loop_, clock_, files_, secrets_, logs_, sockets_, more_loops_}, options,
                events_) {}
  server::Server& server() { return server_; }
  net::UvLoop& loop() { return *loop_; }
  const Clock& clock() const { return clock_; }

 private:
  class NoEvents final : public server::ServerEvents {
    void on_server_stopped() override {}
    void on_reloaded(const Error*) override {}
  };
  const SystemClock clock_;
  net::OwnSockets sockets_;
  conf::SystemFileReader files_;
  tls::OwnSecrets secrets_;
  OwnLogOpener logs_;
  NoEvents events_;
  const std::unique_ptr<net::UvLoop> loop_;
  net::UvLoops more_loops_;
  server::Server server_;
};

}  // namespace gatescope::commands
