#pragma once

#include <memory>
#include <string>

#include "tests/integration/support/backend.h"
#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"

namespace gatescope::integration {

inline constexpr char kSiteName[] = "numberscope.colorado.edu";

/// The site's configuration as its maintainers and certbot left it, with everything around it, not
/// started yet. Only paths and ports are ours.
struct ProductionSite {
  /// `of_api`: further lines in `location /api`.
  explicit ProductionSite(Account account, const std::string& of_api = {});
  std::string socket() { return server.dir().path("backscope.sock"); }
  /// An application that answers with the request line that it saw.
  void start_backend();
  Client client();

  ServerProcess server;
  FreePort https, http;
  std::unique_ptr<Backend> backend;
};

}  // namespace gatescope::integration
