#pragma once

// The client's address behind proxies that are trusted: set_real_ip_from, real_ip_header,
// real_ip_recursive.

#include <memory>
#include <string>
#include <vector>

#include "conf/schema.h"
#include "proxy/http/ip_network.h"
#include "proxy/http/steps.h"

namespace gatescope::http {

struct RealIpSettings final : conf::Settings {
  struct Trusted {
    std::vector<IpNetwork> networks;
    bool unix_sockets = false;
    bool empty() const { return networks.empty() && !unix_sockets; }
  };
  conf::Inherited<Trusted> trusted;
  conf::Inherited<std::string> header{"X-Real-IP"};
  conf::Inherited<bool> recursive{false};
  void inherit(const Settings& outer) override;
};

void add_real_ip_directives(conf::Schema& schema);

/// Null when nobody is trusted. Runs first, and once for a request.
std::unique_ptr<RequestStep> make_real_ip_step(const conf::Scope& scope);

}  // namespace gatescope::http
