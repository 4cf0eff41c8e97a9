#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/api_module.h"
#include "certs/acme/acme_module.h"
#include "certs/certificate_store.h"
#include "conf/schema.h"
#include "proxy/base/error_log.h"
#include "proxy/base/log_files.h"
#include "proxy/base/stats.h"
#include "proxy/http/access.h"
#include "proxy/http/limit_zones.h"
#include "proxy/http/router.h"
#include "proxy/http/variables.h"
#include "proxy/launch_options.h"
#include "proxy/main_settings.h"
#include "proxy/ops/ops_module.h"
#include "proxy/upstream/upstream_module.h"
#include "static/files_module.h"

namespace gatescope::server {

/// What outlives every generation and is used by each. Owned by Server, by name; none of them knows
/// another.
struct Survivors {
  const Clock& clock;
  Stats& stats;
  LogFiles& log_files;
  tls::CertificateStore& certificates;
  tls::SecretReader& secrets;
  files::FilesModule& files;
  upstream::UpstreamModule& upstream;
  api::ApiModule& api;
  acme::AcmeModule& acme;
  http::LimitZones& limits;
  http::PasswordLanes& passwords;
  ops::OpsModule& ops;
};

/// All that one configuration built: routes, handlers, TLS contexts, its main error log. Immutable
/// once loaded; shared by the loops and by the connections that began under it, and destroyed with
/// the last of them (this is one of the two places where ownership is shared).
struct Generation {
  std::uint64_t number = 0;
  conf::Configuration configuration;
  http::VariableTable variables;
  std::unique_ptr<http::RoutingTable> routing;
  /// Main level. Shared with those who may be writing when the generation ends.
  std::shared_ptr<ErrorLogs> error_log = std::make_shared<ErrorLogs>();
  const MainSettings& main() const { return configuration.main->get<MainSettings>(); }
};

/// Every directive table of the program.
void add_all_directives(conf::Schema& schema, Survivors& survivors);

/// The half of load_generation that reads and checks: settings, and what certificates are obtained
/// for. Opens nothing but the configuration and the state folders of ACME.
Result<std::shared_ptr<Generation>> read_generation(const LaunchOptions& options,
                                                    std::uint64_t number, conf::FileReader& reader,
                                                    Survivors& survivors);

/// Reads, checks and builds; touches nothing that runs. On a worker thread for a reload. Errors are
/// one line with FILE:LINE:COLUMN.
Result<std::shared_ptr<Generation>> load_generation(const LaunchOptions& options,
                                                    std::uint64_t number, conf::FileReader& reader,
                                                    Survivors& survivors);

}  // namespace gatescope::server
