#pragma once

#include <span>

#include "proxy/http/variables.h"

namespace gatescope::upstream {

/// $proxy_*, $upstream_*: what UpstreamModule::variables() hands out.
std::span<const http::VariableSpec> upstream_variables();

}  // namespace gatescope::upstream
