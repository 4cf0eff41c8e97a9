#pragma once

#include <string>

#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/upgraded.h"

namespace gatescope::integration {

/// A server whose every answer is one text, and whose program is exchanged.
struct SayingSite {
  /// It serves when this is over. `text`: as return takes it.
  explicit SayingSite(const std::string& text, Account account = Account::Own)
      : server(account), upgraded(server, account) {
    configure(text);
    server.start();
  }
  /// For whoever reads the configuration next.
  void configure(const std::string& text) { server.configure(block(port, text)); }
  static std::string block(const FreePort& port, const std::string& text) {
    return "server { listen 127.0.0.1:" + port.text() +
           "; keepalive_requests 1000000; return 200 " + text + "; }";
  }

  ServerProcess server;
  Upgraded upgraded;
  FreePort port;
};

}  // namespace gatescope::integration
