#pragma once

// limit_req and limit_conn.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "conf/schema.h"
#include "conf/template.h"
#include "proxy/base/log.h"
#include "proxy/http/limit_zones.h"
#include "proxy/http/routing_builder.h"
#include "proxy/http/steps.h"

namespace gatescope::http {

/// A zone as limit_req_zone or limit_conn_zone says.
struct LimitZoneSpec {
  std::string name;
  conf::Template key;
  std::size_t bytes = 0;
  std::uint64_t rate = 0;  // thousandths of a request per second; limit_conn_zone: 0
};

struct LimitRequests {
  std::string zone;
  std::uint64_t burst = 0;  // in thousandths of a request
  std::uint64_t delay = 0;  // excess that is not delayed; nodelay: all
  conf::Place place;
};

struct LimitConnections {
  std::string zone;
  std::uint64_t most = 0;
  conf::Place place;
};

struct LimitSettings final : conf::Settings {
  std::vector<LimitZoneSpec> rate_zones, connection_zones;  // of the http level
  conf::Inherited<std::vector<LimitRequests>> requests;
  conf::Inherited<std::vector<LimitConnections>> connections;
  conf::Inherited<int> requests_status{503}, connections_status{503};
  conf::Inherited<LogLevel> requests_level{LogLevel::Error}, connections_level{LogLevel::Error};
  conf::Inherited<bool> requests_dry_run{false}, connections_dry_run{false};
  void inherit(const Settings& outer) override;
};

/// Makes the steps of a location: first limit_req, then limit_conn, both before access. Owned by
/// who builds a generation.
class LimitsPart final : public LocationPart {
 public:
  explicit LimitsPart(LimitZones& zones) : zones_(zones) {}
  Result<void> contribute(const conf::Scope& scope, Location& location,
                          VariableTable& variables) override;

 private:
  LimitZones& zones_;
};

void add_limit_directives(conf::Schema& schema);

}  // namespace gatescope::http
