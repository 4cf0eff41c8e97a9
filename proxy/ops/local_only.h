#pragma once

#include <memory>
#include <string>

#include "conf/schema.h"
#include "proxy/http/steps.h"

namespace gatescope::ops {

/// Whether allow, deny or auth_basic stand in the location itself. Those of the levels around were
/// written for the site, not for what the operator sees: a list of a few who are denied would show
/// it to everybody else.
bool says_who_may_come(const conf::Scope& location);

/// Refuses (403) whoever is not on this machine. A client that a proxy on this machine speaks for
/// is not: without set_real_ip_from it would look like one.
std::unique_ptr<http::RequestStep> make_local_only_step(std::string directive);

}  // namespace gatescope::ops
