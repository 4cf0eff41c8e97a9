#pragma once

#include <memory>
#include <vector>

#include "certs/certificate_store.h"
#include "conf/schema.h"
#include "proxy/base/log_files.h"
#include "proxy/http/core_directives.h"
#include "proxy/http/router.h"
#include "proxy/http/variables.h"

namespace gatescope::http {

/// A module that adds to locations: steps of phases, filters. Owned by Server.
class LocationPart {
 public:
  virtual ~LocationPart() = default;
  virtual Result<void> contribute(const conf::Scope& scope, Location& location,
                                  VariableTable& variables) = 0;
  /// Runs before everything else that this server does with a request; null: nothing.
  virtual std::unique_ptr<RequestStep> first_step(const conf::Scope& server) {
    (void)server;
    return nullptr;
  }
};

/// What building needs; all of it outlives the RoutingTable.
struct RoutingParts {
  VariableTable& variables;
  LogFiles& log_files;
  const Clock& clock;
  tls::SecretReader& secrets;
  tls::CertificateStore& certificates;
  const tls::NameProofs* proofs = nullptr;
  HandlerMaker& default_maker;     // files
  std::string default_access_log;  // absolute; where no access_log is set
  std::vector<LocationPart*> parts;
  std::vector<conf::Warning>& warnings;
};

/// From the resolved scopes of one configuration to what serves: servers, addresses, locations,
/// handlers, TLS contexts. Runs on a worker thread; touches nothing of a running generation. `main`
/// must outlive the table.
Result<std::unique_ptr<RoutingTable>> build_routing(const conf::Scope& main,
                                                    const RoutingParts& parts);

}  // namespace gatescope::http
